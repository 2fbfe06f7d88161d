// Leads the reader to the passage, and keeps the page number up to date while scrolling.
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
let led = false;

const lead = (target) => {
  if (led || !target) return;
  led = true;
  target.scrollIntoView({ block: "center", behavior: calm ? "auto" : "instant" });
};

// In the text the passage is there at once; on a page image its rectangles come a moment later.
const inText = document.querySelector("mark#passage");
if (inText) lead(inText);
else document.querySelector(".sheet[data-focus]")?.scrollIntoView({ block: "start" });

document.addEventListener("htmx:afterSettle", () => {
  lead(document.querySelector(".sheet[data-focus] .marks rect.focus"));
  const list = document.querySelector(".hit-list");
  const here = list?.querySelector("[aria-current]");
  if (here) list.scrollTop = here.offsetTop - list.offsetTop - 24;
});

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
