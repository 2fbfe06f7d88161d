// Drag and drop, the list of chosen files, and how much of them is sent.
const form = document.querySelector("[data-upload]");
const field = form.querySelector("input[type=file]");
const zone = form.querySelector(".drop");
const picked = form.querySelector("[data-picked]");
const bar = form.querySelector("[data-sent]");
const words = form.querySelector("[data-sent-words]");
const most = Number(form.dataset.mostFiles);
const largest = Number(form.dataset.largestMb) * 1048576;

const size = (bytes) =>
  bytes < 1048576 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 1048576).toFixed(1)} MB`;

const show = () => {
  const files = [...field.files];
  picked.replaceChildren(
    ...files.map((file) => {
      const row = document.createElement("li");
      const name = document.createElement("span");
      const detail = document.createElement("span");
      name.textContent = file.name;
      detail.className = "small muted number";
      detail.textContent = file.size > largest ? `${size(file.size)}, too large` : size(file.size);
      row.append(name, detail);
      return row;
    }),
  );
  picked.hidden = !files.length;
  const tooMany = files.length > most;
  field.setCustomValidity(tooMany ? `At most ${most} files at a time.` : "");
  words.textContent = tooMany
    ? `At most ${most} files at a time.`
    : files.length
      ? `${files.length} ${files.length === 1 ? "file" : "files"} chosen`
      : "";
};

field.addEventListener("change", show);

let depth = 0;
addEventListener("dragenter", (event) => {
  if (!event.dataTransfer?.types.includes("Files")) return;
  depth += 1;
  zone.classList.add("over");
});
addEventListener("dragleave", () => {
  depth = Math.max(0, depth - 1);
  if (!depth) zone.classList.remove("over");
});
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  depth = 0;
  zone.classList.remove("over");
  if (!event.dataTransfer?.files.length) return;
  field.files = event.dataTransfer.files;
  show();
});

form.addEventListener("htmx:xhr:progress", (event) => {
  if (!event.detail.lengthComputable) return;
  const share = Math.round((100 * event.detail.loaded) / event.detail.total);
  bar.hidden = false;
  bar.value = share;
  words.textContent = share < 100 ? `${share} % sent` : "Sent, being taken in…";
});

form.addEventListener("htmx:afterRequest", (event) => {
  bar.hidden = true;
  words.textContent = "";
  if (!event.detail.successful) return;
  field.value = "";
  show();
});
