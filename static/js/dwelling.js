// The page of a document: how long it was visible, and how long somebody was active in it.
import { flush, tell } from "./telling.js";

const place = document.querySelector("[data-reads]");
if (place) {
  const id = place.dataset.reads;
  const mark = sessionStorage.getItem(`card:${id}`) || undefined;
  // After so long without a key, a scroll or a pointer, nobody is reading.
  const IDLE_MS = 30_000;
  const TICK_MS = 1000;
  const EVERY_MS = 15_000;
  let last = performance.now();
  let ticked = last;
  let visible = 0;
  let active = 0;

  for (const name of ["pointermove", "pointerdown", "keydown", "scroll", "wheel", "touchmove"]) {
    addEventListener(name, () => (last = performance.now()), { passive: true });
  }

  const count = () => {
    const now = performance.now();
    // A laptop that slept is one long tick: it counts as one of the usual length.
    const passed = Math.min(now - ticked, 2 * TICK_MS);
    ticked = now;
    if (document.visibilityState !== "visible") return;
    visible += passed;
    if (now - last < IDLE_MS) active += passed;
  };

  const report = () => {
    count();
    if (visible < 500) return;
    tell({
      verb: "dwell",
      document: id,
      mark,
      visible_ms: Math.round(visible),
      active_ms: Math.round(Math.min(active, visible)),
    });
    visible = active = 0;
  };

  tell({ verb: "open", document: id, mark });
  setInterval(count, TICK_MS);
  setInterval(report, EVERY_MS);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") {
      // What was counted was visible until now.
      const now = performance.now();
      const passed = Math.min(now - ticked, 2 * TICK_MS);
      visible += passed;
      if (now - last < IDLE_MS) active += passed;
      ticked = now;
      report();
      flush();
    } else {
      ticked = last = performance.now();
    }
  });
  addEventListener("pagehide", () => {
    report();
    flush();
  });
}
