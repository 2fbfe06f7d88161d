// Says what a coloured span is, on hover and focus, and switches the colours off and on.
const tip = Object.assign(document.createElement("div"), { className: "span-tip", hidden: true });
tip.setAttribute("aria-hidden", "true"); // The span describes itself to a screen reader.
document.body.append(tip);

const MARGIN = 8;

const say = (mark) => {
  tip.textContent = mark.dataset.said;
  tip.hidden = false;
  const [place] = mark.getClientRects();
  const room = document.documentElement.clientWidth - tip.offsetWidth - MARGIN;
  const above = place.top - tip.offsetHeight - MARGIN;
  tip.style.left = `${Math.max(MARGIN, Math.min(place.left, room))}px`;
  tip.style.top = `${above > 0 ? above : place.bottom + MARGIN}px`;
};

const hush = () => (tip.hidden = true);

for (const type of ["mouseover", "focusin"]) {
  document.addEventListener(type, (event) => {
    const mark = event.target.closest?.("mark.x[data-said]");
    if (mark && !mark.closest(".spans-off")) say(mark);
    else hush();
  });
}
addEventListener("scroll", hush, { passive: true });
document.addEventListener("keydown", (event) => event.key === "Escape" && hush());

document.addEventListener("change", (event) => {
  if (!event.target.matches?.("[data-shows-spans]")) return;
  document.getElementById("prose")?.classList.toggle("spans-off", !event.target.checked);
});
