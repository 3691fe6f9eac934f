// A combobox: what is typed goes to Python, which sends the hits back; arrows, Enter and Escape work as in any combobox.
export default function ({ parentElement, data, setStateValue }) {
  const input = parentElement.querySelector("input");
  const list = parentElement.querySelector("ul");
  const status = parentElement.querySelector("[role=status]");
  const box = parentElement.querySelector(".pal-search");

  // As if the address had been opened by the browser's back button: one entry of its history, and the session stays.
  const go = (href) => {
    history.pushState({}, "", new URL(href, location));
    dispatchEvent(new PopStateEvent("popstate", { state: {} }));
    document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
  };
  const show = (open) => {
    list.hidden = !open;
    input.setAttribute("aria-expanded", String(open));
    if (!open) input.removeAttribute("aria-activedescendant");
  };
  const active = () => list.querySelector("[aria-selected=true]");
  const mark = (option) => {
    active()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) input.setAttribute("aria-activedescendant", option.id);
  };
  const pick = (option) => {
    if (!option) return;
    clearTimeout(box.timer);
    input.value = "";
    show(false);
    go(option.dataset.href);  // alone: a state sent beside it would be answered on the page that is left
  };

  const draw = () => {
    list.replaceChildren(...data.hits.map((hit, index) => {
      const option = document.createElement("li");
      option.id = `pal-search-${index}`;
      option.dataset.href = hit.href;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", String(index === 0));
      const name = document.createElement("b");
      name.textContent = hit.name;
      const context = document.createElement("span");
      context.className = "soft";
      context.textContent = [hit.kind, hit.context].filter(Boolean).join(" · ");
      option.append(name, " ", context);
      return option;
    }));
    const typed = input.value.trim() !== "";
    if (typed && !data.hits.length) {
      const none = document.createElement("li");
      none.className = "none";
      none.setAttribute("role", "option");
      none.setAttribute("aria-disabled", "true");
      none.textContent = "Nothing has a name like this.";
      list.append(none);
    }
    show(typed && document.activeElement === input);
    status.textContent = typed ? `${data.hits.length} found` : "";
  };
  if (data.text === input.value.trim()) draw();

  // Links to entities in tables open within this session; with Ctrl or the middle button they open in a tab as any link.
  // So do Streamlit's links to the page that is open: it would draw what they lead to and leave the address as it was.
  document.removeEventListener("click", document.palpateLinks, true);
  document.palpateLinks = (event) => {
    const link = event.target.closest?.("a[data-entity], [data-testid=stMain] a[data-testid=stPageLink-NavLink]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    if (!link.dataset.entity && new URL(link.href).pathname !== location.pathname) return;
    event.preventDefault();
    event.stopPropagation();
    go(link.href);
  };
  document.addEventListener("click", document.palpateLinks, true);

  // Streamlit's links to the first page start with "?", which a tab of their own would read as the page that is open; its menu on
  // a phone is no valid list, and its code boxes scroll without a stop for the keyboard.
  const mend = () => {
    for (const link of document.querySelectorAll('a[data-testid=stPageLink-NavLink][href^="?"]')) link.setAttribute("href", `./${link.getAttribute("href")}`);
    for (const menu of document.querySelectorAll("ul[data-testid=stSidebarNavItems]:not([role])")) menu.setAttribute("role", "group");
    for (const item of document.querySelectorAll("[data-testid=stSidebarNavItems] li:not([role])")) item.setAttribute("role", "none");
    for (const code of document.querySelectorAll("[data-testid=stCode] pre:not([tabindex])")) code.tabIndex = 0;
  };
  mend();
  if (!document.palpateMends) {
    document.palpateMends = new MutationObserver(mend);
    document.palpateMends.observe(document.body, { childList: true, subtree: true });
  }

  input.oninput = () => {
    clearTimeout(box.timer);
    box.timer = setTimeout(() => (data.text === input.value.trim() ? draw() : setStateValue("text", input.value.trim())), 120);
    if (!input.value.trim()) show(false);
  };
  input.onkeydown = (event) => {
    const options = [...list.querySelectorAll("[data-href]")];
    const at = options.indexOf(active());
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!options.length) return;
      show(true);
      mark(options[(at + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (!list.hidden) pick(active());
    } else if (event.key === "Escape") {
      show(false);
    }
  };
  input.onfocus = () => show(input.value.trim() !== "" && list.children.length > 0);
  input.onblur = () => setTimeout(() => show(false), 150);
  list.onmousedown = (event) => {
    event.preventDefault();
    pick(event.target.closest("[data-href]"));
  };
}
