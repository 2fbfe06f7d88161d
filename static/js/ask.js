// Asks without leaving the page: reads the server's events and shows each as it comes. At the end
// the parts around the sentences are taken from the kept answer's own page.
const page = document.querySelector("[data-ask]");
const form = document.getElementById("ask-form");
const field = form.elements.q;
const answer = document.getElementById("answer");
const stop = form.querySelector("[data-stop]");
const failure = page.querySelector("[data-error]");
const part = (name) => answer.querySelector(`[data-part="${name}"]`);
const many = (n, noun) => `${Number(n).toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
let asking = null;

const resting = (is) => {
  page.classList.toggle("resting", is);
  page.querySelector("[data-start]")?.toggleAttribute("hidden", !is);
};

const fail = (text) => {
  failure.textContent = text;
  failure.hidden = !text;
};

const stage = (words) => {
  const list = part("stages");
  list.querySelector(".now")?.classList.replace("now", "done");
  if (!words) return;
  const item = document.createElement("li");
  item.className = "now";
  item.textContent = words;
  list.append(item);
};

// The last step, in other words.
const restage = (words) => {
  const now = part("stages").querySelector(".now");
  if (now) now.textContent = words;
  else stage(words);
};

const clear = () => {
  fail("");
  resting(false);
  for (const each of answer.querySelectorAll("[data-part]")) each.replaceChildren();
  answer.hidden = false;
  answer.dataset.state = "running";
  delete answer.dataset.opened;
};

const place = (group) => {
  const body = part("body");
  let section = [...body.children].find((each) => (each.dataset.group ?? "") === group);
  if (section) return section;
  section = document.createElement("section");
  section.className = "group";
  section.dataset.group = group;
  if (group) {
    const title = document.createElement("h2");
    title.textContent = group;
    section.append(title);
  }
  body.append(section);
  return section;
};

const cited = (citations, question) => {
  const panel = part("sources");
  for (const each of citations) {
    if (panel.querySelector(`.cited[data-n="${Number(each.n)}"]`)) continue;
    if (!panel.firstChild) {
      const title = document.createElement("h2");
      title.className = "label-line";
      title.textContent = "Sources";
      panel.append(title, document.createElement("ol"));
    }
    panel.lastChild.append(answerParts.source(each, question));
  }
};

const listeners = {
  waiting: ({ ahead }) => stage(`Waiting for ${many(ahead, "other question")}…`),
  understood: (data, turn) => {
    turn.id = data.id;
    part("understood").replaceChildren(...answerParts.understood(data));
    for (const text of data.notes ?? []) part("notices").append(answerParts.note(text));
    restage("Understood");
  },
  route: () => {},
  searching: ({ searched }) => stage(`Searching ${searched}…`),
  found: ({ candidates, documents }, turn) => {
    restage(`${many(candidates, "passage")} in ${many(documents, "document")}`);
    turn.found = true;
    stage("Reading…");
  },
  sentence: (data, turn) => {
    turn.sentences += 1;
    place(data.group ?? "").append(answerParts.sentence(data, turn.question));
    cited(data.citations, turn.question);
    restage(`Writing, ${many(turn.sentences, "sentence")} verified…`);
  },
  passages: () => {},
  notice: ({ text }) => part("notices").append(answerParts.note(text)),
  done: (data, turn) => {
    turn.id = data.id;
    turn.state = data.state;
  },
  error: ({ text }) => fail(text),
};

// Server-sent events from a response: blocks of lines, a blank line between two.
const listen = async (response, turn) => {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const lines = block.split("\n");
      const name = lines.find((line) => line.startsWith("event: "))?.slice(7);
      const data = lines.filter((line) => line.startsWith("data: ")).map((line) => line.slice(6));
      if (Object.hasOwn(listeners, name ?? "")) listeners[name](JSON.parse(data.join("\n")), turn);
    }
  }
};

const refused = async (response) => {
  if (response.redirected) {
    location.reload();
    return;
  }
  let words = "That did not work. Please try again.";
  if (response.headers.get("Content-Type")?.includes("json")) {
    words = (await response.json()).error ?? words;
  } else if (response.status === 403) {
    words = "You may not do this, or your session ended. Please reload the page.";
  }
  fail(words);
};

// The kept answer as its own page shows it. Sentences stay as they streamed unless a table reads
// better, so that nothing a reader looks at moves and nothing is read out twice.
const settle = async (id) => {
  const address = `${form.dataset.answers}${encodeURIComponent(id)}/`;
  const response = await fetch(address, { headers: { Accept: "text/html" } });
  if (!response.ok || response.redirected) return;
  const kept = new DOMParser().parseFromString(await response.text(), "text/html");
  const table = kept.querySelector("[data-part=body] [data-table]");
  for (const each of kept.querySelectorAll("#answer [data-part]")) {
    if (each.dataset.part === "body" && !table) continue;
    const here = part(each.dataset.part);
    const focused = here.contains(document.activeElement) ? document.activeElement.dataset.n : "";
    const again = focused && `[data-n="${CSS.escape(focused)}"]`;
    here.replaceChildren(...[...each.childNodes].map((node) => document.adoptNode(node)));
    if (again) here.querySelector(again)?.focus();
  }
  Object.assign(answer.dataset, kept.querySelector("#answer").dataset);
  history.pushState(null, "", address);
  document.title = kept.title;
  document.dispatchEvent(new CustomEvent("answer:settled"));
};

const remember = (turn) => {
  // What was left out and chosen holds as long as the question stays the same.
  for (const hidden of form.querySelectorAll("input[type=hidden][data-kept], input[name=removed]")) {
    hidden.remove();
  }
  form.elements.asked.value = turn.question;
  for (const [name, value] of turn.kept) {
    const input = document.createElement("input");
    Object.assign(input, { type: "hidden", name, value });
    input.dataset.kept = "";
    form.append(input);
  }
};

const collect = (submitter) => {
  const data = new FormData(form, submitter);
  const same = data.get("asked") === data.get("q");
  const own = submitter?.name === "removed" ? submitter.value : null;
  const removed = same && submitter?.name !== "restore" ? data.getAll("removed") : own ? [own] : [];
  data.delete("removed");
  for (const key of new Set(removed)) data.append("removed", key);
  const kept = removed.map((key) => ["removed", key]);
  if (submitter?.name === "company") kept.push(["company", submitter.value]);
  return { data, kept };
};

const closing = { not_found: "Not found in the documents", ask_back: "Which company do you mean?" };

const ask = async (submitter) => {
  asking?.abort.abort();
  const { data, kept } = collect(submitter);
  const question = field.value.trim();
  const turn = { abort: new AbortController(), question, kept, sentences: 0, id: null, state: "" };
  asking = turn;
  clear();
  remember(turn);
  stop.hidden = false;
  stage("Understanding the question…");
  try {
    const response = await fetch(form.dataset.stream, {
      method: "POST", body: data, signal: turn.abort.signal, headers: { Accept: "text/event-stream" },
    });
    if (response.ok && response.headers.get("Content-Type")?.startsWith("text/event-stream")) {
      await listen(response, turn);
    } else {
      await refused(response);
    }
  } catch (error) {
    if (asking !== turn) return;
    if (error.name !== "AbortError") {
      fail("The connection was lost. What stands here was verified; ask again for the rest.");
    }
  }
  if (asking !== turn) return;
  await finish(turn);
};

const finish = async (turn) => {
  asking = null;
  stop.hidden = true;
  stage("");
  answer.dataset.state = turn.state || "stopped";
  if (turn.abort.signal.aborted) {
    part("notices").append(answerParts.note("You stopped this answer. What stands here was verified."));
    announce("Stopped");
    return;
  }
  if (turn.id && turn.state) {
    try {
      await settle(turn.id);
    } catch {
      fail("The answer is complete, but its details could not be loaded. Reload the page.");
    }
    announce(closing[turn.state] ?? `Answer complete, ${many(turn.sentences, "sentence")}`);
  }
};

form.addEventListener("submit", (event) => {
  if (event.submitter?.formMethod === "get" && event.submitter.hasAttribute("formmethod")) return;
  event.preventDefault();
  if (field.value.trim()) ask(event.submitter);
  else field.focus();
});

field.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit(form.querySelector("[data-go]"));
});

stop.addEventListener("click", () => {
  asking?.abort.abort();
  field.focus();
});

page.addEventListener("click", (event) => {
  const example = event.target.closest("[data-example]");
  if (!example || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  field.value = example.textContent.trim();
  form.requestSubmit(form.querySelector("[data-go]"));
});

// Back and forward lead between kept answers, each its own page.
addEventListener("popstate", () => location.reload());
