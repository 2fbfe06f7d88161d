// Adds blank rows to the lists of a schema's form; without it, rows that are there can be edited.
for (const part of document.querySelectorAll("[data-rows]")) {
  const total = part.querySelector(`[name="${part.dataset.rows}-TOTAL_FORMS"]`);
  const template = part.querySelector("template");
  const add = part.querySelector("[data-add]");
  add.addEventListener("click", () => {
    const holder = document.createElement("div");
    holder.innerHTML = template.innerHTML.replaceAll("__prefix__", total.value);
    const row = holder.firstElementChild;
    total.value = Number(total.value) + 1;
    add.before(row);
    row.open = true;
    row.querySelector("input:not([type=hidden])")?.focus();
  });
}
