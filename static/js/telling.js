// Tells the feed what happened, in batches by sendBeacon; what does not get through is lost, never
// the page.
const told = [];
const place = document.querySelector("[data-events]");

// `crypto.randomUUID` is there in secure contexts only.
const newId = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
};

export const flush = () => {
  if (!place || !told.length) return;
  const form = new FormData();
  form.append("csrfmiddlewaretoken", place.dataset.csrf);
  form.append("events", JSON.stringify(told.splice(0, 200)));
  navigator.sendBeacon(place.dataset.events, form);
};

export const tell = (event) => {
  if (!place) return;
  told.push({ id: newId(), at: new Date().toISOString(), ...event });
  if (told.length >= 50) flush();
};

setInterval(flush, 10_000);
addEventListener("pagehide", flush);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") flush();
});
