// The feed: what was on screen is told; o opens, s saves, m mutes the card that has the focus.
import { flush, tell } from "./telling.js";

document.documentElement.classList.add("scripted");

// A card counts as shown when half of it was on screen for a second.
const SHOWN_MS = 1000;
const timers = new Map();
const seen = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      clearTimeout(timers.get(target));
      if (!isIntersecting) continue;
      const shown = () => {
        if (document.visibilityState !== "visible") return;
        seen.unobserve(target);
        const { document: id, mark } = target.dataset;
        tell({ verb: "impression", document: id, mark });
      };
      timers.set(target, setTimeout(shown, SHOWN_MS));
    }
  },
  { threshold: 0.5 },
);

const watch = () => {
  for (const card of document.querySelectorAll("[data-card][data-mark]:not([data-watched])")) {
    card.dataset.watched = "";
    seen.observe(card);
  }
};
watch();
document.addEventListener("htmx:afterSettle", watch);

// The page of the document tells how it was read; it needs to know of which card.
const remember = (card) => {
  if (!card?.dataset.mark) return;
  sessionStorage.setItem(`card:${card.dataset.document}`, card.dataset.mark);
  const { document: id, mark } = card.dataset;
  tell({ verb: "impression", document: id, mark });
  flush();
};

const opening = (event) => {
  const link = event.target.closest?.("[data-opens-document]");
  if (link) remember(link.closest("[data-card]"));
};
document.addEventListener("click", opening);
document.addEventListener("auxclick", opening);

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.submit();
});

const here = () => document.activeElement?.closest?.("[data-card]");
const actions = {
  o: (card) => card.querySelector("[data-opens-document]"),
  Enter: (card) =>
    document.activeElement === card && card.querySelector("[data-opens-document]"),
  s: (card) => card.querySelector("[data-saves]"),
  m: (card) => card.querySelector("[data-mutes]"),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName || "")) return;
  if (document.querySelector("dialog[open]")) return;
  const card = here();
  const target = card && actions[event.key]?.(card);
  if (!target) return;
  event.preventDefault();
  target.click();
  card.focus({ preventScroll: true });
});
