// A SPARQL editor: a text area over a colored copy of itself, with prefixes and terms to complete. Tab takes the first term
// only while terms are offered, so the keyboard is never caught. Ctrl+Enter runs the query.
const KEYWORDS = /\b(ASK|AS|ASC|BASE|BIND|BY|CONSTRUCT|DESC|DESCRIBE|DISTINCT|EXISTS|FILTER|FROM|GRAPH|GROUP|HAVING|IN|LIMIT|MINUS|NAMED|NOT|OFFSET|OPTIONAL|ORDER|PREFIX|REDUCED|SELECT|UNDEF|UNION|VALUES|WHERE|COUNT|SUM|AVG|MIN|MAX|SAMPLE|GROUP_CONCAT|COALESCE|IF|BOUND|STR|LANG|REGEX|CONTAINS|LCASE|UCASE|REPLACE|ROUND)\b/iy;
const TOKENS = [
  ["comment", /#[^\n]*/y],
  ["iri", /<[^<>\s]*>/y],
  ["string", /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/y],
  ["variable", /[?$]\w+/y],
  ["term", /[A-Za-z][\w-]*:[\w-]*|\ba\b(?=\s)/y],
  ["keyword", KEYWORDS],
];

function paint(text, target) {
  target.replaceChildren();
  let plain = "", at = 0;
  const flush = () => { if (plain) { target.append(plain); plain = ""; } };
  while (at < text.length) {
    let hit = null;
    for (const [kind, pattern] of TOKENS) {
      pattern.lastIndex = at;
      const found = pattern.exec(text);
      if (found && found[0]) { hit = [kind, found[0]]; break; }
    }
    if (hit) {
      flush();
      const span = document.createElement("span");
      span.className = hit[0];
      span.textContent = hit[1];
      target.append(span);
      at += hit[1].length;
    } else {
      const word = /\w+|[^]/y;
      word.lastIndex = at;
      const found = word.exec(text)[0];
      plain += found;
      at += found.length;
    }
  }
  flush();
  target.append("\n");
}

export default function ({ parentElement, data, setStateValue, setTriggerValue }) {
  const box = parentElement.querySelector(".pal-editor");
  const area = box.querySelector("textarea");
  const copy = box.querySelector("pre");
  const offers = box.querySelector(".offers");

  const redraw = () => {
    paint(area.value, copy);
    area.rows = Math.min(30, Math.max(8, area.value.split("\n").length + 1));
  };
  const word = () => /[A-Za-z][\w-]*:?[\w-]*$/.exec(area.value.slice(0, area.selectionStart))?.[0] ?? "";
  const take = (term) => {
    const end = area.selectionStart, start = end - word().length;
    area.setRangeText(term, start, end, "end");
    offers.replaceChildren();
    changed();
    area.focus();
  };
  const offer = () => {
    const typed = word().toLowerCase();
    const local = typed.split(":").pop();
    const found = typed.length < 2 ? [] : data.terms.filter((term) => {
      const lower = term.toLowerCase();
      return lower.startsWith(typed) || (local.length > 1 && lower.split(":").pop().startsWith(local) && (!typed.includes(":") || lower.startsWith(typed.split(":")[0] + ":")));
    }).slice(0, 8);
    offers.replaceChildren(...(found.length === 1 && found[0].toLowerCase() === typed ? [] : found).map((term) => {
      const button = document.createElement("button");
      button.type = "button";
      button.tabIndex = -1;
      button.textContent = term;
      button.onmousedown = (event) => { event.preventDefault(); take(term); };
      return button;
    }));
  };
  const changed = () => {
    redraw();
    clearTimeout(box.timer);
    box.timer = setTimeout(() => setStateValue("text", area.value), 400);
  };

  if (box.given !== data.given) {
    box.given = data.given;
    area.value = data.text;
    offers.replaceChildren();
  }
  redraw();
  area.oninput = () => { offer(); changed(); };
  area.onscroll = () => { copy.scrollTop = area.scrollTop; copy.scrollLeft = area.scrollLeft; };
  area.onblur = () => setTimeout(() => offers.replaceChildren(), 150);
  area.onkeydown = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      clearTimeout(box.timer);
      setTriggerValue("run", area.value);
    } else if (event.key === "Tab" && !event.shiftKey && offers.firstChild) {
      event.preventDefault();
      take(offers.firstChild.textContent);
    } else if (event.key === "Escape") {
      offers.replaceChildren();
    }
  };
  box.querySelector(".run").onclick = () => { clearTimeout(box.timer); setTriggerValue("run", area.value); };
}
