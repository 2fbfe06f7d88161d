// Lays a passage out with its spans in colour, and knows its words: boundaries move from one to the
// next. Offsets count characters of the document as the server does, not halves of them.
const deskPassage = (() => {
  const WORD = /[\p{L}\p{M}\p{N}]/u;
  const SPACE = /\s/u;

  const DIGIT = /\d/;

  // A figure such as 1,234.5 is one word.
  const goesOn = (chars, at) =>
    at < chars.length &&
    (WORD.test(chars[at]) ||
      (/[.,]/.test(chars[at]) && DIGIT.test(chars[at - 1]) && DIGIT.test(chars[at + 1] ?? "")));

  const tokensOf = (chars, start) => {
    const tokens = [];
    for (let at = 0; at < chars.length; ) {
      let end = at + 1;
      if (WORD.test(chars[at])) while (goesOn(chars, end)) end += 1;
      if (!SPACE.test(chars[at])) tokens.push([start + at, start + end]);
      at = end;
    }
    return tokens;
  };

  const make = ({ start, text, spans }) => {
    const chars = Array.from(text);
    const tokens = tokensOf(chars, start);
    const slice = (from, to) => chars.slice(from - start, to - start).join("");
    return { start, end: start + chars.length, chars, tokens, spans, slice };
  };

  // The spans' edges cut the text into runs; each run names the spans over it.
  const runs = (passage, marks) => {
    const edges = new Set([passage.start, passage.end]);
    for (const { start, end } of marks) {
      for (const edge of [start, end]) if (edge > passage.start && edge < passage.end) edges.add(edge);
    }
    const ordered = [...edges].sort((a, b) => a - b);
    return ordered.slice(1).map((to, n) => {
      const from = ordered[n];
      return { from, to, over: marks.filter((mark) => mark.start < to && from < mark.end) };
    });
  };

  const element = (passage, run, colours) => {
    // The shorter lies inside; what is being judged lies over all.
    const own = run.over.find((mark) => mark.own);
    const sorted = run.over.filter((mark) => !mark.own).sort((a, b) => b.end - b.start - (a.end - a.start));
    const top = own ?? sorted.at(-1);
    const text = passage.slice(run.from, run.to);
    if (!top) return document.createTextNode(text);
    const mark = document.createElement("mark");
    mark.textContent = text;
    mark.dataset.from = run.from;
    mark.style.setProperty("--x", colours[top.label] ?? "#64748b");
    mark.classList.toggle("own", Boolean(own));
    mark.classList.toggle("draft", top.draft === true);
    mark.classList.toggle("struck", top.struck === true);
    mark.classList.toggle("unsure", top.sure === false);
    const under = own ? sorted.at(-1) : sorted.at(-2);
    if (under) mark.style.setProperty("--under", colours[under.label] ?? "#64748b");
    mark.classList.toggle("nested", Boolean(under));
    mark.title = run.over.map((one) => one.said).filter(Boolean).join("\n");
    const numbered = run.over.find((one) => one.number && one.start === run.from);
    if (numbered) mark.dataset.number = numbered.number;
    return mark;
  };

  const draw = (holder, passage, marks, colours) => {
    const nodes = [];
    for (const run of runs(passage, marks)) {
      const node = element(passage, run, colours);
      if (node.nodeType === Node.TEXT_NODE) {
        const plain = document.createElement("span");
        plain.dataset.from = run.from;
        plain.append(node);
        nodes.push(plain);
      } else nodes.push(node);
    }
    holder.replaceChildren(...nodes);
  };

  // What is selected in the passage, as offsets; null where nothing of it is.
  const selected = (holder, passage) => {
    const range = getSelection().rangeCount ? getSelection().getRangeAt(0) : null;
    if (!range || range.collapsed || !holder.contains(range.commonAncestorContainer)) return null;
    const offset = (node, at) => {
      const run = (node.nodeType === Node.TEXT_NODE ? node.parentNode : node).closest("[data-from]");
      if (!run) return null;
      return Number(run.dataset.from) + Array.from(node.textContent.slice(0, at)).length;
    };
    const start = offset(range.startContainer, range.startOffset);
    const end = offset(range.endContainer, range.endOffset);
    return start === null || end === null || start >= end ? null : { start, end };
  };

  // The boundary that lies `step` words on (1) or back (-1) from this one.
  const nextEnd = ({ tokens }, end, step) =>
    step > 0 ? tokens.find(([, to]) => to > end)?.[1] : tokens.findLast(([, to]) => to < end)?.[1];
  const nextStart = ({ tokens }, start, step) =>
    step > 0 ? tokens.find(([from]) => from > start)?.[0] : tokens.findLast(([from]) => from < start)?.[0];

  return { make, draw, selected, nextEnd, nextStart };
})();
