// A SPARQL editor: a text area over a colored copy of itself. The word before the caret goes to Python, which sends back the terms
// that complete it; Alt with the arrows marks another one, Tab takes it, only while terms are offered, so the keyboard is never
// caught. Ctrl+Enter runs the query.
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
  const word = () => /(?<![?$\w<"'/-])[A-Za-z][\w-]*:?[\w-]*$/.exec(area.value.slice(0, area.selectionStart))?.[0] ?? "";
  const marked = () => offers.querySelector("[aria-current]");
  const mark = (button) => {
    marked()?.removeAttribute("aria-current");
    button?.setAttribute("aria-current", "true");
  };
  const take = (button) => {
    const end = area.selectionStart, start = end - word().length;
    area.setRangeText(button.dataset.term, start, end, "end");
    offers.replaceChildren();
    redraw();
    area.focus();
  };
  const show = () => {
    const known = data.word === word() && document.activeElement === area;
    offers.replaceChildren(...(known ? data.offers : []).map(([term, name]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.tabIndex = -1;
      button.dataset.term = term;
      button.textContent = term;
      if (name) {
        const note = document.createElement("span");
        note.className = "soft";
        note.textContent = name;
        button.append(" ", note);
      }
      button.onmousedown = (event) => { event.preventDefault(); take(button); };
      return button;
    }));
    mark(offers.firstChild);
  };
  const ask = () => {
    clearTimeout(box.timer);
    if (data.word === word()) return show();
    offers.replaceChildren();
    if (word().length > 1) box.timer = setTimeout(() => setStateValue("word", word()), 120);
  };

  if (box.given !== data.text) {
    box.given = data.text;
    area.value = data.text;
    offers.replaceChildren();
  }
  redraw();
  show();
  const run = () => { clearTimeout(box.timer); setTriggerValue("run", area.value); };
  area.oninput = () => { redraw(); ask(); };
  area.onscroll = () => { copy.scrollTop = area.scrollTop; copy.scrollLeft = area.scrollLeft; };
  area.onblur = () => setTimeout(() => offers.replaceChildren(), 150);
  area.onkeydown = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      run();
    } else if (event.key === "Tab" && !event.shiftKey && marked()) {
      event.preventDefault();
      take(marked());
    } else if (event.altKey && (event.key === "ArrowDown" || event.key === "ArrowUp") && marked()) {
      event.preventDefault();
      const all = [...offers.children];
      mark(all[(all.indexOf(marked()) + (event.key === "ArrowDown" ? 1 : -1) + all.length) % all.length]);
    } else if (event.key === "Escape") {
      offers.replaceChildren();
    }
  };
  box.querySelector(".run").onclick = run;
}
