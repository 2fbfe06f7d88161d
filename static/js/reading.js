// Leads the reader to the passage, and keeps the page number up to date while scrolling.
// What loads above it would push the passage away, so this is repeated until the reader takes over.
let leading = true;
for (const type of ["wheel", "touchstart", "mousedown", "keydown"]) {
  addEventListener(type, () => (leading = false), { once: true, passive: true });
}

const lead = () => {
  if (!leading) return;
  // In the text the passage is there at once; on a page image its rectangles come a moment later.
  const passage = document.querySelector(
    "mark#passage, .sheet[data-focus] .marks rect.focus, .sheet[data-focus] .marks rect",
  );
  if (passage) passage.scrollIntoView({ block: "center" });
  else document.querySelector(".sheet[data-focus]")?.scrollIntoView({ block: "start" });
};

lead();
addEventListener("load", () => requestAnimationFrame(lead));
document.addEventListener("load", lead, { capture: true });
document.addEventListener("htmx:afterSettle", () => {
  lead();
  const list = document.querySelector(".hit-list");
  const here = list?.querySelector("[aria-current]");
  if (here) list.scrollTop = here.offsetTop - list.offsetTop - 24;
});
setTimeout(() => (leading = false), 5000);

// Outlines start closed where there is no room beside the text.
const outline = document.querySelector("[data-outline]");
if (outline && matchMedia("(max-width: 70rem)").matches) outline.open = false;
outline?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });

const now = document.querySelector("[data-page-now]");
if (now) {
  const seen = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting && document.activeElement !== now) {
          now.value = entry.target.dataset.page;
        }
      }
    },
    { rootMargin: "-40% 0px -55% 0px" },
  );
  const watch = () => {
    for (const page of document.querySelectorAll("[data-page]:not([data-watched])")) {
      page.dataset.watched = "";
      seen.observe(page);
    }
  };
  watch();
  document.addEventListener("htmx:afterSettle", watch);
}
