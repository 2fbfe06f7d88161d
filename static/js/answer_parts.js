// Makes the parts of an answer from what the server streams. Whatever came from a model, a
// document or a person is text: it is set as textContent or as an attribute, never as markup.
const answerParts = (() => {
  const make = (name) => document.getElementById(name).content.firstElementChild.cloneNode(true);
  const oneLine = (text) => String(text ?? "").split(/\s+/).filter(Boolean).join(" ");
  const day = (iso) => {
    if (!/^\d{4}-\d\d-\d\d$/.test(iso ?? "")) return "";
    const [year, month, date] = iso.split("-").map(Number);
    const names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    return `${date} ${names[month - 1]} ${year}`;
  };
  // Only an address of this site is ever followed.
  const address = (cited, question) => {
    const url = new URL(cited.url, location.origin);
    if (url.origin !== location.origin) return "#";
    if (question) url.searchParams.set("q", question.slice(0, 300));
    return `${url.pathname}${url.search}#passage`;
  };

  const note = (text) => {
    const made = make("t-note");
    made.querySelector("span").textContent = text;
    return made;
  };

  const chip = ({ key, label, group, explanation }) => {
    const made = make("t-chip");
    const button = made.querySelector("button");
    button.value = key;
    button.title = explanation;
    made.querySelector(".chip-group").textContent = group;
    made.querySelector("[data-label]").textContent = label;
    return made;
  };

  const choice = ({ key, label, explanation }) => {
    const made = make("t-choice");
    made.querySelector("button").value = key.replace("company:", "");
    made.querySelector("[data-label]").textContent = label;
    made.querySelector(".hint").textContent = explanation;
    return made;
  };

  const understood = ({ chips }) => {
    const list = document.createElement("ul");
    list.className = "understood";
    list.setAttribute("aria-label", "What was understood");
    list.append(...chips.filter((each) => !each.ask).map(chip));
    const offered = chips.filter((each) => each.ask);
    if (!offered.length) return [list];
    const section = document.createElement("section");
    section.className = "ask-back";
    const title = document.createElement("h2");
    title.textContent = "Which company do you mean?";
    const choices = document.createElement("ul");
    choices.className = "choices";
    choices.append(...offered.map(choice));
    section.append(title, choices);
    return [list, section];
  };

  const cite = (cited, question) => {
    const made = document.createElement("a");
    made.className = "cite";
    made.href = address(cited, question);
    made.textContent = cited.n;
    made.dataset.n = cited.n;
    made.dataset.title = cited.title;
    made.dataset.meta = [cited.company, cited.kind, day(cited.date)].filter(Boolean).join(" · ");
    made.dataset.quote = oneLine(cited.quote);
    const when = day(cited.date);
    made.setAttribute("aria-label", `Source ${cited.n}: ${cited.title}${when && `, ${when}`}`);
    return made;
  };

  // The period of the first source, where neither the sentence nor its group names the year.
  const ofPeriod = (text, group, citations) => {
    const period = citations[0]?.period ?? "";
    const year = period.match(/\d{4}/)?.[0];
    return year && !`${text} ${group ?? ""}`.includes(year) ? period : "";
  };

  const sentence = ({ ordinal, text, group, citations }, question) => {
    const made = make("t-sentence");
    made.dataset.ordinal = ordinal;
    made.querySelector(".said").textContent = text;
    made.append(...citations.map((each) => cite(each, question)));
    const period = ofPeriod(text, group, citations);
    if (period) {
      const of = document.createElement("span");
      of.className = "of";
      of.textContent = period;
      made.append(of);
    }
    return made;
  };

  const source = (cited, question) => {
    const made = make("t-source");
    made.dataset.n = cited.n;
    made.querySelector(".n").textContent = cited.n;
    const title = made.querySelector(".source-title");
    title.href = address(cited, question);
    title.querySelector(".visually-hidden").textContent = `Source ${cited.n}: `;
    title.querySelector("[data-title]").textContent = cited.title;
    const company = cited.title.includes(cited.company) ? "" : cited.company;
    for (const words of [company, cited.kind, day(cited.date)].filter(Boolean)) {
      const part = document.createElement("span");
      part.textContent = words;
      made.querySelector(".meta").append(part);
    }
    const quote = made.querySelector("blockquote a");
    quote.href = address(cited, question);
    quote.textContent = oneLine(cited.quote);
    return made;
  };

  return { note, understood, sentence, source };
})();
