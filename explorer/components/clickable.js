// HTML or SVG whose parts with `data-pick` can be chosen by click, Enter or space; the choice goes to Python.
export default function ({ parentElement, data, setTriggerValue }) {
  const box = parentElement.querySelector(".pal-clickable");
  if (box.made !== data.html) {
    box.made = data.html;
    box.innerHTML = data.html;
  }
  const pick = (event) => {
    const part = event.target.closest("[data-pick]");
    if (part) setTriggerValue("picked", part.dataset.pick);
    return part;
  };
  box.onclick = pick;
  box.onkeydown = (event) => {
    const button = event.target.closest("[role=button][data-pick]");
    if (button && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      pick(event);
    }
  };
}
