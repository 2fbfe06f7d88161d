// The review desk: one item on one screen, judged by keys. The next one is fetched while this one is
// looked at; a verdict is sent while the next one is already shown, and comes back where it failed.
const desk = document.querySelector("[data-desk]");
const stage = desk.querySelector("[data-stage]");
const note = desk.querySelector("[data-note]");
const keys = JSON.parse(document.getElementById("desk-keys").textContent);
const actionOf = Object.fromEntries(Object.entries(keys).map(([action, key]) => [key, action]));
const token = desk.querySelector("[name=csrfmiddlewaretoken]").value;
const dialogs = Object.fromEntries(
  [...desk.querySelectorAll("[data-dialog]")].map((one) => [one.dataset.dialog, one]),
);
let now = null; // What is judged: its node, data, passage, and what was changed of it.
let ahead = null; // The promise of the next one.
let sending = Promise.resolve();
let pageShown = localStorage.getItem("desk-page") !== "off";

const say = (text, bad = false) => {
  note.textContent = text;
  note.hidden = !text;
  note.classList.toggle("desk-bad", bad);
};

const address = (path, query = {}) => {
  const params = new URLSearchParams(desk.dataset.query);
  for (const [name, value] of Object.entries(query)) params.set(name, value);
  return `${desk.dataset.base}${path}?${params}`;
};

const send = async (path, body = {}) => {
  const response = await fetch(address(path), {
    method: "POST",
    headers: { "X-CSRFToken": token, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const type = response.headers.get("Content-Type") ?? "";
  const told = type.includes("json") ? await response.json() : {};
  if (!response.ok) throw Object.assign(new Error(told.error ?? `The server said ${response.status}.`), told);
  return told;
};

const read = (html) => {
  const holder = document.createElement("div");
  holder.innerHTML = html;
  return adopt(holder.firstElementChild);
};

const adopt = (node) => {
  if (!node?.matches("[data-item]")) return null;
  const data = JSON.parse(node.querySelector("script[type='application/json']").textContent);
  const shown = { node, data, edit: null, draft: null, link: null, all: false, since: 0 };
  shown.colours = Object.fromEntries(data.choices.map((one) => [one.name, one.colour]));
  shown.passage = data.passage && deskPassage.make(data.passage);
  for (const button of node.querySelectorAll("[data-colour]")) {
    button.style.setProperty("--x", button.dataset.colour);
  }
  return shown;
};

const get = async (path, query) => {
  const response = await fetch(address(path, query));
  if (response.status === 204) return null;
  if (!response.ok) throw new Error(`The next item could not be fetched (${response.status}).`);
  return read(await response.text());
};

const fetchAhead = (...besides) => {
  ahead = get("next/", { besides: besides.join(",") }).catch((error) => {
    say(error.message, true);
    return null;
  });
};

const isSpan = (value) => value && value.start !== undefined;
const own = () => now.edit ?? (isSpan(now.data.current) ? now.data.current : now.data.proposal);

// Everything of the passage that changes by keys.
const draw = () => {
  const { node, data, passage } = now;
  const line = node.querySelector("[data-now]");
  if (line) line.textContent = "";
  if (!passage) return;
  const marks = (now.link ? now.link.spans : passage.spans).filter(
    (span) => data.kind !== "span" || !sameSpan(span, data.proposal),
  );
  if (data.kind === "span") {
    const struck = data.current === null && !now.edit;
    marks.push({ ...own(), own: true, struck, said: "judged now" });
  } else for (const end of [data.proposal.head, data.proposal.tail, data.kind === "entity" ? data.place : null]) {
    if (end) marks.push({ ...end, own: true, said: "judged now" });
  }
  if (now.draft) marks.push({ ...now.draft, label: "", own: true, draft: true, said: "new" });
  deskPassage.draw(node.querySelector("[data-passage]"), passage, marks, now.colours);
  line.textContent = told();
};

const sameSpan = (one, other) =>
  one.start === other.start && one.end === other.end && one.label === other.label;

const titleOf = (name) => now.data.choices.find((choice) => choice.name === name)?.title ?? name;

const told = () => {
  const { passage, data } = now;
  if (now.draft) return `New: “${passage.slice(now.draft.start, now.draft.end)}”. A number gives its label.`;
  if (now.link?.ways.length) {
    const way = now.link.ways[now.link.at];
    return `“${way.head.text}” ${way.relation} “${way.tail.text}”. Enter saves it, ${keys.link} shows the next way.`;
  }
  if (now.link) return "Which one does it belong to? Press its number.";
  if (data.kind === "relation") {
    const { head, relation, tail } = data.proposal;
    return tail ? `“${head.text}” ${relation} “${tail.text}”` : `“${head.text}” has no “${relation}”`;
  }
  if (data.kind !== "span") return "";
  const words = passage.slice(Math.max(own().start, passage.start), Math.min(own().end, passage.end));
  return `${titleOf(own().label)}: “${words}”`;
};

const showPage = () => {
  const holder = now.node.querySelector("[data-page]");
  now.node.classList.toggle("without-page", !pageShown);
  if (!holder || !pageShown || holder.dataset.asked) return;
  holder.dataset.asked = "yes";
  fetch(holder.dataset.page)
    .then((response) => (response.ok ? response.text() : Promise.reject()))
    .then((html) => {
      holder.innerHTML = html;
      const image = holder.querySelector("img");
      const lead = () => {
        const box = holder.querySelector("rect");
        if (box) holder.scrollTop += box.getBoundingClientRect().top - holder.getBoundingClientRect().top - holder.clientHeight / 3;
      };
      image?.complete ? lead() : image?.addEventListener("load", lead);
    })
    .catch(() => holder.replaceChildren("The page cannot be drawn here; the text is beside it."));
};

// Which verdicts and tools there are on what is shown; the keys of the others do nothing.
const applies = (action) => {
  if (!now) return ["undo", "help"].includes(action);
  const { kind, alike } = now.data;
  if (["add", "link"].includes(action)) return ["span", "relation"].includes(kind);
  if (/^(end|start)_/.test(action)) return kind === "span";
  if (action === "label") return ["span", "router", "entity"].includes(kind);
  if (action === "reject") return kind !== "router";
  if (action === "all") return alike > 0;
  if (action === "page") return Boolean(now.node.querySelector("[data-page]"));
  return true;
};

const present = (shown, { fetchNext = true } = {}) => {
  now = shown;
  for (const button of desk.querySelectorAll("[data-action]")) {
    button.hidden = !applies(button.dataset.action);
  }
  if (!now) {
    stage.replaceChildren(desk.querySelector("[data-empty]").content.cloneNode(true));
    return;
  }
  stage.replaceChildren(now.node);
  now.since = performance.now();
  const box = now.node.querySelector("[data-all]");
  if (box) box.checked = now.all;
  draw();
  showPage();
  now.node.querySelector("mark.own")?.scrollIntoView({ block: "center" });
  if (fetchNext) fetchAhead(now.data.item);
};

// Back to what was there before, with the person's changes: nothing of theirs is lost.
const comeBack = (judged, error) => {
  const other = now;
  if (error.seen !== undefined) judged.data.seen = error.seen;
  present(judged, { fetchNext: false });
  if (other) ahead = Promise.resolve(other);
  say(error.message, true);
};

const judge = async (verdict, more = {}) => {
  if (!now) return;
  const judged = now;
  const seconds = (performance.now() - judged.since) / 1000;
  const body = { verdict, seen: judged.data.seen, all: judged.all, seconds, ...more };
  say("");
  const sent = send(`verdict/${judged.data.item}/`, body);
  sending = sent.catch(() => {});
  const next = await ahead;
  present(next, { fetchNext: false });
  if (next) fetchAhead(next.data.item, judged.data.item);
  try {
    const done = await sent;
    const others = done.count > 1 ? ` and ${done.count - 1} more` : "";
    say(done.note || `${done.verdict}${others}. ${keys.undo} takes it back.`);
    await refresh(judged, done.count > 1);
  } catch (error) {
    comeBack(judged, error);
  }
};

// The next item was fetched before this verdict: in the same document it shows other spans by now,
// and it may have been judged along with this one.
const refresh = async (judged, several) => {
  if (!now) return present(await get("next/", {}));
  if (!several && now.data.document !== judged.data.document) return;
  const there = now;
  const fresh = await get(`item/${there.data.item}/`, {});
  if (several) fetchAhead(there.data.item, judged.data.item);
  if (now !== there || there.edit || there.draft || there.link) return;
  if (several && fresh.data.seen !== there.data.seen) return present(await ahead);
  present(fresh, { fetchNext: false });
  fresh.since = there.since;
};

// Without leaving the item: what was added or linked is shown at once.
const addBeside = async (verdict, more) => {
  const judged = now;
  try {
    await send(`verdict/${judged.data.item}/`, { verdict, seen: judged.data.seen, ...more });
    const fresh = await get(`item/${judged.data.item}/`, {});
    if (now !== judged) return;
    fresh.edit = judged.edit;
    fresh.since = judged.since;
    present(fresh, { fetchNext: false });
    say(`${verdict === "add" ? "Added" : "Linked"}. ${keys.undo} takes it back.`);
  } catch (error) {
    say(error.message, true);
  }
};

const changedSpan = () => ({ start: own().start, end: own().end, label: own().label });

const accept = () => {
  if (now.data.kind === "span" && now.edit) {
    const moved = now.edit.start !== now.data.proposal.start || now.edit.end !== now.data.proposal.end;
    if (moved) return judge("move", changedSpan());
  }
  return judge("accept");
};

const label = (name) => {
  if (now.draft) {
    const { start, end } = now.draft;
    now.draft = null;
    return addBeside("add", { start, end, label: name });
  }
  if (now.data.kind === "span") return judge("relabel", { ...changedSpan(), label: name });
  if (["router", "entity"].includes(now.data.kind)) return judge("relabel", { label: name });
};

const move = (which, step) => {
  const span = now.draft ?? (now.data.kind === "span" ? { ...own() } : null);
  if (!now.passage || !span) return false;
  const to = which === "end" ? deskPassage.nextEnd(now.passage, span.end, step) : deskPassage.nextStart(now.passage, span.start, step);
  if (to === undefined || (which === "end" ? to <= span.start : to >= span.end)) return;
  span[which] = to;
  if (now.draft) now.draft = span;
  else now.edit = span;
  draw();
};

// While adding, the arrows carry the span from word to word; with Shift they take in more.
const carry = (step, grow) => {
  if (grow) return move("end", step);
  const { tokens } = now.passage;
  const at = tokens.findIndex(([from]) => from >= now.draft.start);
  const token = tokens[Math.min(Math.max((at < 0 ? tokens.length : at) + step, 0), tokens.length - 1)];
  now.draft = { start: token[0], end: token[1] };
  draw();
};

const add = () => {
  if (!now.passage || !["span", "relation"].includes(now.data.kind)) return;
  const holder = now.node.querySelector("[data-passage]");
  const chosen = deskPassage.selected(holder, now.passage);
  const after = now.data.kind === "span" ? own().end : now.data.proposal.head.end;
  const token = now.passage.tokens.find(([from]) => from >= after) ?? now.passage.tokens[0];
  now.link = null;
  now.draft = chosen ?? { start: token[0], end: token[1] };
  getSelection().removeAllRanges();
  draw();
};

const link = () => {
  if (!now.passage || !now.data.pairings.length) return say("This schema has no relations.", true);
  if (now.link?.ways.length) now.link.at = (now.link.at + 1) % now.link.ways.length;
  else {
    const from = now.data.kind === "span" ? now.data.proposal : now.data.proposal.head;
    const self = now.passage.spans.find((span) => sameSpan(span, from));
    if (!self) return say("It must be accepted before it can be linked.", true);
    now.draft = null;
    now.link = { self, spans: deskLinking.numbered(now.passage.spans, self), ways: [], at: 0 };
  }
  draw();
};

const chooseOther = (number) => {
  const other = now.link.spans.find((span) => span.number === number);
  if (!other) return;
  now.link.ways = deskLinking.ways(now.data.pairings, now.link.self, other);
  now.link.at = 0;
  draw();
};

const saveLink = () => {
  const way = now.link.ways[now.link.at];
  now.link = null;
  const body = { relation: way.relation, head: way.head.id, tail: way.tail.id };
  if (now.data.kind === "relation") return judge("link", body);
  return addBeside("link", body);
};

const undo = async () => {
  await sending;
  try {
    const done = await send("undo/");
    const kept = now;
    if (done.added && kept) {
      present(await get(`item/${kept.data.item}/`, {}), { fetchNext: false });
      return say("Taken back.");
    }
    const back = await get(`item/${done.item}/`, {});
    present(back, { fetchNext: false });
    if (kept && kept.data.item !== back.data.item) ahead = Promise.resolve(kept);
    say("Taken back; it waits for your verdict again.");
  } catch (error) {
    say(error.message, true);
  }
};

const ask = (name) => {
  const dialog = dialogs[name];
  const field = dialog.querySelector("input");
  if (field) field.value = "";
  if (name === "label") {
    const options = now.data.choices.map((one) => new Option(one.title, one.title));
    dialog.querySelector("datalist").replaceChildren(...options);
  }
  dialog.showModal();
  field?.focus();
};

dialogs.skip.querySelector("form").addEventListener("submit", (event) => {
  judge("skip", { reason: new FormData(event.target).get("reason") });
});
dialogs.label.querySelector("form").addEventListener("submit", (event) => {
  const typed = String(new FormData(event.target).get("label")).toLowerCase();
  const fits = (one) => [one.title, one.name].some((words) => words.toLowerCase().startsWith(typed));
  const found = now.data.choices.find(fits);
  if (found) label(found.name);
  else say(`No label begins with “${typed}”.`, true);
});

const actions = {
  accept,
  reject: () => judge("reject"),
  label: () => now.data.choices.length && ask("label"),
  add,
  link,
  skip: () => ask("skip"),
  undo,
  all: () => {
    const box = now.node.querySelector("[data-all]");
    if (box) box.checked = now.all = !now.all;
  },
  end_on: () => move("end", 1),
  end_back: () => move("end", -1),
  start_back: () => move("start", -1),
  start_on: () => move("start", 1),
  page: () => {
    pageShown = !pageShown;
    localStorage.setItem("desk-page", pageShown ? "on" : "off");
    showPage();
  },
  help: () => (dialogs.help.open ? dialogs.help.close() : dialogs.help.showModal()),
};

const act = (action) => {
  if (now || action === "undo" || action === "help") return actions[action]?.();
};

const pressed = (event) => {
  const { key } = event;
  if (key === "Escape" && now && (now.draft || now.link || now.edit)) {
    Object.assign(now, now.draft || now.link ? { draft: null, link: null } : { edit: null });
    return draw() ?? true;
  }
  if (now?.draft && (key === "ArrowRight" || key === "ArrowLeft")) {
    return carry(key === "ArrowRight" ? 1 : -1, event.shiftKey) ?? true;
  }
  if (now?.link?.ways.length && key === "Enter") return saveLink() ?? true;
  if (now && /^[1-9]$/.test(key)) {
    if (now.link) return chooseOther(Number(key)) ?? true;
    const choice = now.data.choices[Number(key) - 1];
    return choice ? (label(choice.name) ?? true) : false;
  }
  if (!(key in actionOf)) return false;
  return act(actionOf[key]) ?? true;
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat && !event.key.startsWith("Arrow")) return;
  const open = document.querySelector("dialog[open]");
  if (open && !(open === dialogs.help && event.key === keys.help)) return;
  if (event.target.matches?.("input:not([type=checkbox]), textarea, select")) return;
  if (event.key === "Enter" && event.target.matches?.("a, button")) return;
  if (pressed(event)) event.preventDefault();
});

desk.addEventListener("click", (event) => {
  const button = event.target.closest("[data-action], [data-choice]");
  if (!button) return;
  button.blur();
  if (button.dataset.action) act(button.dataset.action);
  else label(button.dataset.choice);
});
desk.addEventListener("change", (event) => {
  if (event.target.matches("[data-all]")) now.all = event.target.checked;
});

present(adopt(stage.querySelector("[data-item]")));
