// Choosing two spans and how they belong together: the item's own span and one that has a number.
const deskLinking = (() => {
  const MOST = 9;

  // Near the item's span first: these get the numbers.
  const numbered = (spans, own) => {
    const far = (span) => Math.abs(span.start - own.start);
    const others = spans.filter((span) => span.start !== own.start || span.end !== own.end);
    const near = [...others].sort((a, b) => far(a) - far(b)).slice(0, MOST);
    near.sort((a, b) => a.start - b.start);
    return near.map((span, n) => ({ ...span, number: n + 1 }));
  };

  // Every way that the rules allow, both directions; where no rule fits, every relation.
  const ways = (pairings, own, other) => {
    const found = [];
    const add = (relation, head, tail) => {
      if (!found.some((one) => one.relation === relation && one.head === head)) {
        found.push({ relation, head, tail });
      }
    };
    for (const { relation, head, tail } of pairings) {
      if (head.includes(own.label) && tail.includes(other.label)) add(relation, own, other);
      if (head.includes(other.label) && tail.includes(own.label)) add(relation, other, own);
    }
    if (found.length) return found;
    for (const { relation } of pairings) {
      add(relation, own, other);
      add(relation, other, own);
    }
    return found;
  };

  return { numbered, ways };
})();
