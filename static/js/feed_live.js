// New documents are announced by a stream; where there is none, the page asks every half minute.
const place = () => document.querySelector("#news[data-live]");
let live = false;

const listen = (address) => {
  if (!("EventSource" in window)) return;
  const source = new EventSource(address);
  source.addEventListener("open", () => {
    live = true;
  });
  source.addEventListener("new", () => place()?.dispatchEvent(new Event("news")));
  // Nobody more may listen.
  source.addEventListener("full", () => source.close());
  for (const name of ["error", "full"]) {
    source.addEventListener(name, () => {
      live = false;
    });
  }
  addEventListener("pagehide", () => source.close(), { once: true });
};

// A page that the browser kept and shows again listens again.
addEventListener("pageshow", (event) => {
  if (place() && (event.persisted || !live)) listen(place().dataset.live);
});

// While the stream lives, the clock need not ask as well.
document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, requestConfig } = event.detail;
  if (live && elt.id === "news" && requestConfig.triggeringEvent?.type !== "news") {
    event.preventDefault();
  }
});
