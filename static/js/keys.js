// The keyboard: / search, j and k through results, n and p through hits, ? for this list.
const typing = (target) =>
  target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName || "");

const move = (step) => {
  const hits = [...document.querySelectorAll("[data-hit]")];
  if (!hits.length) return false;
  const here = hits.indexOf(document.activeElement);
  const next = here < 0 ? (step > 0 ? 0 : hits.length - 1) : here + step;
  const hit = hits[Math.min(Math.max(next, 0), hits.length - 1)];
  hit.focus({ preventScroll: true });
  hit.scrollIntoView({ block: "center" });
  return true;
};

const follow = (rel) => {
  const link = document.querySelector(`[data-hits] a[rel="${rel}"]`);
  link?.click();
  return Boolean(link);
};

const focusSearch = () => {
  const field = document.querySelector("[data-search]");
  if (!field) return false;
  field.focus();
  field.select();
  return true;
};

const actions = {
  "/": focusSearch,
  j: () => move(1),
  k: () => move(-1),
  n: () => follow("next"),
  p: () => follow("prev"),
  "?": () => {
    const help = document.getElementById("help");
    if (help?.open) help.close();
    else help?.showModal();
    return Boolean(help);
  },
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.matches?.("[data-search]")) {
    event.target.blur();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (document.querySelector("dialog[open]") && event.key !== "?") return;
  if (actions[event.key]?.()) event.preventDefault();
});
