// Menus that close, announcements for screen readers, dialogs, and requests that fail.
const announce = (text) => {
  const status = document.getElementById("announcement");
  if (status && text) status.textContent = text;
};

const toast = (text) => {
  const element = document.getElementById("toast");
  element.textContent = text;
  element.hidden = false;
};

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens).showModal();
  const dialog = event.target.closest("dialog");
  if (dialog && event.target.closest("[data-closes]")) dialog.close();
});

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("details.menu[open]");
  if (event.key !== "Escape" || !menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
  event.stopPropagation();
});

// A long menu is narrowed by typing.
document.addEventListener("input", (event) => {
  const list = event.target.dataset.narrows && document.getElementById(event.target.dataset.narrows);
  if (!list) return;
  const wanted = event.target.value.trim().toLowerCase();
  for (const item of list.children) {
    item.hidden = !item.textContent.toLowerCase().includes(wanted);
  }
});

document.addEventListener("keydown", (event) => {
  // Enter in the narrowing field must not submit the search.
  if (event.key === "Enter" && event.target.dataset.narrows) event.preventDefault();
});

document.addEventListener("htmx:beforeSwap", (event) => {
  // The session ended: what came back is the sign-in page, not the fragment.
  const signIn = document.body.dataset.signIn;
  const path = new URL(event.detail.xhr.responseURL || location.href).pathname;
  if (signIn && path === signIn) {
    event.detail.shouldSwap = false;
    location.reload();
  } else if (/^\s*<!doctype/i.test(event.detail.serverResponse || "")) {
    // A whole page where a part of one was asked for: an error page.
    event.detail.shouldSwap = false;
    toast("That did not work. Please reload the page and try again.");
  }
});

document.addEventListener("htmx:afterSettle", (event) => {
  document.getElementById("toast").hidden = true;
  const source = event.target.querySelector?.("[data-announce]") || event.target;
  announce(source.dataset?.announce);
});

document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  toast(status === 403 ? "You may not do this." : "That did not work. Please try again.");
});

document.addEventListener("htmx:sendError", () => {
  toast("The server could not be reached. Check your connection and try again.");
});
