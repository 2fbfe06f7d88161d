"""A document's text to passages of at most 512 tokens, as offsets into it.

The tokenizer is handed in and must neither truncate nor pad. Every character that is not white
space lies in at least one passage. Trap: `Piece.n_tokens` counts what the embedder reads, which
is the header and the special tokens too.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ingestion.passage_headers import Headers
from ingestion.row_breaks import Breaks

# Tokenised at once: bounds the memory that a text of 20 million characters takes.
BLOCK_CHARACTERS = 200_000
# A word of more tokens than this share of a passage may be cut between its parts.
LONG_WORD_SHARE = 16
# No passage is longer than this many characters per token, whatever the tokenizer swallows.
CHARACTERS_PER_TOKEN = 16
LONGEST_WORD = 1_000
# How much of a passage's end is searched for a better place to stop.
TAIL_SHARE = 0.2
# Tokenizers that split on white space count a part as they counted it in the whole; the others may
# differ by a few tokens at the cut.
OTHER_TOKENIZER_SLACK = 16
# A part of a report, or a table that fits into a passage, starts a new one, unless the one before
# would be shorter than this share.
LEAST_BEFORE = 0.25

WORD = re.compile(r"\S+")
SENTENCE_END = re.compile(r"[.!?。！？…؟]['\"”’)\]»」』]*$")
INSIDE_ROW, ANYWHERE, LINE, SENTENCE, PARAGRAPH, TURN = range(-1, 5)


@dataclass(frozen=True, slots=True)
class Piece:
    """A passage `text[start:end]`; page (from 1) and section are those of its first character.

    `section` is the path of its headings, `statement` a key of `statements.names()` or empty.
    """

    start: int
    end: int
    page: int
    section: str
    statement: str
    header: str
    n_tokens: int


@dataclass(frozen=True, slots=True)
class _Words:
    """The text as words, in order: where each begins and ends, its tokens, how well one may stop
    after it."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    tokens: NDArray[np.int64]
    stops: NDArray[np.int8]


def chunk(
    text: str,
    pages: Sequence[int],
    sections: Sequence[Mapping[str, Any]],
    tokenizer: Tokenizer,
    *,
    tables: Sequence[Mapping[str, Any]] = (),
    max_tokens: int = 512,
    overlap: int = 64,
    lead: str = "",
) -> list[Piece]:
    """Passages in order; neighbours share up to `overlap` tokens, whole rows in a table.

    `pages`, the sections' `start` and the tables are ascending offsets. `lead` is the first line
    of every header; header, passage and special tokens fit into `max_tokens`. A row is cut only
    where it is longer than a passage.
    """
    words = _words(text, tokenizer, max_tokens)
    headers = Headers(text, sections, tables, tokenizer, lead=lead, most_tokens=max_tokens // 2)
    breaks = Breaks.of(words.starts, sections, tables, text)
    words.stops[breaks.before_turn] = TURN
    fresh = {*breaks.fresh.tolist(), *breaks.tables[:, 0].tolist()}
    slack = 0 if type(tokenizer.model).__name__ == "WordPiece" else OTHER_TOKENIZER_SLACK
    room = max_tokens - slack - tokenizer.num_special_tokens_to_add(is_pair=False)
    before = np.concatenate([[0], np.cumsum(words.tokens)])
    pieces: list[Piece] = []
    first, covered = 0, 0
    while covered < len(words.starts):
        begin = int(words.starts[first])
        last = _last(
            words,
            before,
            breaks,
            first=first,
            covered=covered,
            room=room - headers.reserved(begin),
            most_characters=max_tokens * CHARACTERS_PER_TOKEN,
        )
        if last <= covered:  # The overlap leaves no room for the next word or row.
            first = covered
            continue
        covered = last
        end = int(words.ends[covered - 1])
        found = headers.of(begin, end)
        n_tokens = int(before[covered] - before[first]) + headers.tokens(found.header)
        n_tokens += tokenizer.num_special_tokens_to_add(is_pair=False)
        page = max(1, bisect_right(pages, begin))
        pieces.append(
            Piece(begin, end, page, found.section, found.statement, found.header, n_tokens)
        )
        if covered in fresh or words.stops[covered - 1] == TURN:
            first = covered
            continue
        shared = int(np.searchsorted(before, before[covered] - overlap, side="left"))
        first = min(max(breaks.next_row(shared), first + 1), covered)
    return pieces


def _last(
    words: _Words,
    before: NDArray[np.int64],
    breaks: Breaks,
    *,
    first: int,
    covered: int,
    room: int,
    most_characters: int,
) -> int:
    """One past the last word of the passage that begins at `first`, which it always holds.

    `covered` or less where the passage has to begin later for a row to fit.
    """
    by_tokens = int(np.searchsorted(before, before[first] + room, side="right")) - 1
    by_length = int(np.searchsorted(words.ends, words.starts[first] + most_characters, "right"))
    last = max(min(by_tokens, by_length, len(words.starts)), first + 1)
    better = _better_end(before, breaks, first=first, covered=covered, last=last, room=room)
    if better is not None or last == len(words.starts):
        return better or last
    enough = int(np.searchsorted(before, before[first] + room * (1 - TAIL_SHARE), side="left"))
    low = max(enough, covered + 1) - 1
    tail = np.where(breaks.within_row[low + 1 : last + 1], INSIDE_ROW, words.stops[low:last])
    if len(tail) and tail.max() > INSIDE_ROW:
        # The latest of the best places.
        return last - int(np.argmax(tail[::-1]))
    if not breaks.within_row[last]:
        return last
    row = breaks.row_start(last)
    # A row that does not even fit alone is cut.
    return row if row > covered else last if first == covered else covered


def _better_end(
    before: NDArray[np.int64], breaks: Breaks, *, first: int, covered: int, last: int, room: int
) -> int | None:
    """Where another part of the report, or a table that fits the next passage, begins.

    None where there is none or where too little would be left of this passage.
    """
    least = before[first] + room * LEAST_BEFORE
    part = breaks.fresh_before(covered, last)
    if part is not None and before[part] >= least:
        return part
    table = breaks.table_cut_at(last) if last < len(before) - 1 else None
    if table and table[0] > covered and before[table[1]] - before[table[0]] <= room:
        return table[0] if before[table[0]] >= least else None
    return None


def _words(text: str, tokenizer: Tokenizer, max_tokens: int) -> _Words:
    starts: list[NDArray[np.int64]] = []
    ends: list[NDArray[np.int64]] = []
    tokens: list[NDArray[np.int64]] = []
    for begin, end in _blocks(text):
        found = _words_of_block(text[begin:end], tokenizer, max(4, max_tokens // LONG_WORD_SHARE))
        starts.append(found[0] + begin)
        ends.append(found[1] + begin)
        tokens.append(found[2])
    all_starts, all_ends = _joined(starts), _joined(ends)
    return _Words(all_starts, all_ends, _joined(tokens), _stops(text, all_starts, all_ends))


def _joined(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Spans that together are the text, cut at white space where there is any."""
    begin = 0
    while begin < len(text):
        end = min(begin + BLOCK_CHARACTERS, len(text))
        if end < len(text):
            space = max(text.rfind("\n", begin, end), text.rfind(" ", begin, end))
            end = space + 1 if space > begin else end
        yield begin, end
        begin = end


def _words_of_block(
    block: str, tokenizer: Tokenizer, long_word: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Starts, ends and token counts of the block's words."""
    spans = np.array([match.span() for match in WORD.finditer(block)], dtype=np.int64)
    if not len(spans):
        return (np.zeros(0, np.int64),) * 3
    encoding = tokenizer.encode(block, add_special_tokens=False)
    offsets = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
    # By its last character: a token may begin with the space in front of its word.
    owner = np.searchsorted(spans[:, 0], offsets[:, 1] - 1, side="right") - 1
    counts = np.bincount(np.maximum(owner, 0), minlength=len(spans)).astype(np.int64)
    long = (counts > long_word) | (spans[:, 1] - spans[:, 0] > LONGEST_WORD)
    if not long.any():
        return spans[:, 0], spans[:, 1], counts
    word_ids = encoding.word_ids
    rows: list[tuple[int, int, int]] = []
    for index, (start, end) in enumerate(spans.tolist()):
        if not long[index]:
            rows.append((start, end, int(counts[index])))
            continue
        low, high = np.searchsorted(owner, [index, index + 1])
        cuts = _cuts(offsets[low:high, 0], word_ids[low:high], long_word)
        rows.extend(_parts(block, start, end, cuts, tokenizer))
    table = np.array(rows, dtype=np.int64)
    return table[:, 0], table[:, 1], table[:, 2]


def _cuts(
    starts: NDArray[np.int64], word_ids: Sequence[int | None], long_word: int
) -> list[tuple[int, int]]:
    """Where a long word may be cut: (offset, tokens up to the next cut).

    Between what the tokenizer holds for words (one Chinese character, the parts around a hyphen),
    and between tokens only within such a word that is itself too long.
    """
    cuts: list[list[int]] = []
    for start, word, previous in zip(
        starts.tolist(), word_ids, [None, *word_ids][: len(word_ids)], strict=True
    ):
        fresh = word is None or word != previous or cuts[-1][1] >= long_word
        if not cuts or (fresh and start > cuts[-1][0]):
            cuts.append([start, 0])
        cuts[-1][1] += 1
    return [(offset, count) for offset, count in cuts]


def _parts(
    block: str, start: int, end: int, cuts: list[tuple[int, int]], tokenizer: Tokenizer
) -> Iterator[tuple[int, int, int]]:
    """The parts of one long word, none longer than LONGEST_WORD characters."""
    begins = [start, *(offset for offset, _ in cuts[1:])]
    counts = [count for _, count in cuts] or [0]
    for begin, finish, count in zip(begins, [*begins[1:], end], counts, strict=True):
        if finish - begin <= LONGEST_WORD:
            yield begin, finish, count
            continue
        for low in range(begin, finish, LONGEST_WORD):
            high = min(low + LONGEST_WORD, finish)
            # A part may have more tokens than the whole, which was perhaps one unknown word.
            found = tokenizer.encode(block[low:high], add_special_tokens=False)
            yield low, high, len(found.ids)


def _stops(text: str, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int8]:
    """After each word: the end of a paragraph, a sentence, a line, or just of a word."""
    stops = np.zeros(len(starts), dtype=np.int8)
    gaps = starts[1:] - ends[:-1]
    # The commonest gap is one space after a letter or comma; only the others need a look.
    for index, (end, gap) in enumerate(zip(ends[:-1].tolist(), gaps.tolist(), strict=True)):
        if gap == 1 and text[end - 1].isalnum() and text[end] == " ":
            continue
        newlines = text.count("\n", end, end + gap)
        if newlines > 1:
            stops[index] = PARAGRAPH
        elif SENTENCE_END.search(text, max(0, end - 4), end):
            stops[index] = SENTENCE
        elif newlines:
            stops[index] = LINE
    return stops
