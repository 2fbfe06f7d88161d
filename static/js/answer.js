// What a reader does with an answer: looks at citations, copies, shares, says what they think.
const card = document.getElementById("cite-card");
const shown = document.getElementById("answer");
let showing = null;

let leaving = 0;
const stay = () => clearTimeout(leaving);

const showCard = (cite) => {
  stay();
  showing = cite;
  card.querySelector(".card-title").textContent = cite.dataset.title;
  card.querySelector(".meta").textContent = cite.dataset.meta;
  card.querySelector("blockquote").textContent = cite.dataset.quote;
  card.hidden = false;
  cite.setAttribute("aria-describedby", "cite-card");
  const at = cite.getBoundingClientRect();
  const room = document.documentElement.clientWidth - card.offsetWidth - 16;
  const below = at.bottom + card.offsetHeight + 16 < innerHeight;
  card.style.left = `${Math.max(16, Math.min(at.left, room)) + scrollX}px`;
  card.style.top = `${(below ? at.bottom + 6 : at.top - card.offsetHeight - 6) + scrollY}px`;
  for (const each of shown.querySelectorAll("[data-n]")) {
    each.classList.toggle("same", each.dataset.n === cite.dataset.n);
  }
};

const hideCard = () => {
  if (!showing) return;
  showing.removeAttribute("aria-describedby");
  showing = null;
  card.hidden = true;
  for (const each of shown.querySelectorAll(".same")) each.classList.remove("same");
};

// It must be possible to point at the card itself, to read or copy from it.
const leave = () => {
  stay();
  leaving = setTimeout(hideCard, 150);
};
document.body.append(card);
card.addEventListener("pointerenter", stay);
card.addEventListener("pointerleave", leave);
shown.addEventListener("pointerover", (event) => {
  const cite = event.pointerType !== "touch" && event.target.closest(".cite");
  if (!cite) return;
  showCard(cite);
});
shown.addEventListener("pointerout", (event) => event.target.closest(".cite") && leave());
shown.addEventListener("focusin", (event) => {
  const cite = event.target.closest(".cite");
  if (cite?.matches(":focus-visible")) showCard(cite);
  else hideCard();
});
shown.addEventListener("focusout", leave);
document.addEventListener("keydown", (event) => event.key === "Escape" && hideCard());

const copied = async (text, words, button) => {
  try {
    await navigator.clipboard.writeText(text);
    announce(words);
    const before = button.lastChild.textContent;
    button.lastChild.textContent = words;
    setTimeout(() => (button.lastChild.textContent = before), 2000);
  } catch {
    toast("The browser did not allow copying.");
  }
};

const plain = () => shown.querySelector("template[data-plain]")?.content.textContent ?? "";

shown.addEventListener("click", (event) => {
  const copies = event.target.closest("[data-copies]");
  if (copies) copied(plain(), "Copied", copies);
  const shares = event.target.closest("[data-shares]");
  if (shares) copied(location.href.split(/[?#]/)[0], "Link copied", shares);
});

// That a passage was opened is told to who asks whether answers help; the page does not wait for it.
const opens = (event) => {
  const link = event.target.closest("a[href*='#passage'], .listed a");
  if (!link || !shown.dataset.opened || event.button > 1) return;
  const body = new FormData();
  body.append("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
  fetch(shown.dataset.opened, { method: "POST", body, keepalive: true }).catch(() => {});
};
shown.addEventListener("click", opens);
shown.addEventListener("auxclick", opens);

// A verdict is sent without leaving the page; the buttons then show what is kept.
shown.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-feedback]");
  if (!form) return;
  event.preventDefault();
  const uses = event.submitter?.dataset.uses !== undefined;
  if (uses) navigator.clipboard?.writeText(plain()).catch(() => {});
  try {
    const body = new FormData(form, event.submitter);
    const response = await fetch(form.action, { method: "POST", body });
    if (!response.ok) throw new Error(response.status);
    const kept = new DOMParser().parseFromString(await response.text(), "text/html");
    const actions = kept.querySelector("#answer [data-part=actions]");
    if (!actions) throw new Error("signed out");
    const here = shown.querySelector("[data-part=actions]");
    here.replaceChildren(...[...actions.childNodes].map((node) => document.adoptNode(node)));
    ready();
    const verdict = event.submitter?.value;
    here.querySelector(`button[value="${verdict}"]:not(.why-not *)`)?.focus();
    announce(uses ? "Noted, and copied with its sources" : "Thank you, noted");
  } catch {
    toast("That could not be kept. Please reload the page and try again.");
  }
});

const ready = () => {
  for (const button of shown.querySelectorAll("[data-copies], [data-shares]")) button.hidden = false;
};
ready();
document.addEventListener("answer:settled", ready);
