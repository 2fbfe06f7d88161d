"""The language of a text, and how its words are told apart and stemmed for keyword search.

Trap: what is not recognised with confidence (short texts, tables, mixtures) is "", and its words
are read as English.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier  # type: ignore[import-untyped]

# Postgres's text-search configurations by ISO 639-1.
CONFIGS = dict(
    pair.split(":")
    for line in (
        "ar:arabic hy:armenian eu:basque ca:catalan da:danish nl:dutch en:english et:estonian",
        "fi:finnish fr:french de:german el:greek hi:hindi hu:hungarian id:indonesian ga:irish",
        "it:italian lt:lithuanian ne:nepali no:norwegian pt:portuguese ro:romanian ru:russian",
        "sr:serbian es:spanish sv:swedish ta:tamil tr:turkish",
    )
    for pair in line.split()
)
# Recognised too, and looked up by whole words, or by pairs of characters where there are no spaces.
OTHERS = ("bg", "cs", "he", "hr", "ja", "ko", "lv", "pl", "sk", "sl", "th", "uk", "vi", "zh")
DEFAULT, SIMPLE = "english", "simple"
PAIRED = frozenset({"ja", "ko", "zh"})
# What is read of a long text: from its beginning, middle and end.
SAMPLE_CHARACTERS = 6_000
FEWEST_LETTERS = 60
LEAST_CONFIDENCE = 0.9
_NOT_WORDS = re.compile(r"[\W\d_]+")
_RUN = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff々〆]+")


def language_of(text: str) -> str:
    """ISO 639-1 of the text, or "" where it is too short or not certain."""
    third = max(0, len(text) // 2 - SAMPLE_CHARACTERS // 2)
    samples = [text[:SAMPLE_CHARACTERS]]
    if len(text) > SAMPLE_CHARACTERS:
        samples += [text[third : third + SAMPLE_CHARACTERS], text[-SAMPLE_CHARACTERS:]]
    words = _NOT_WORDS.sub(" ", " ".join(samples)).strip()
    letters = sum(map(len, words.split()))
    # A character of these says as much as a few letters.
    paired = sum(map(len, _RUN.findall(words)))
    if letters + 4 * paired < FEWEST_LETTERS:
        return ""
    language, confidence = _identifier().classify(words)
    return str(language) if confidence >= LEAST_CONFIDENCE else ""


@cache
def _identifier() -> LanguageIdentifier:
    # Half a second and numpy: only for who parses.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([*CONFIGS, *OTHERS])
    return identifier


def search_config(language: str) -> str:
    """The Postgres text-search configuration for a document of this language."""
    return CONFIGS.get(language, SIMPLE) if language else DEFAULT


def has_runs(text: str) -> bool:
    """Whether some of it is written in characters that no spaces separate into words."""
    return _RUN.search(text) is not None


def in_pairs(text: str) -> str:
    """Chinese, Japanese and Korean runs as overlapping pairs of characters, apart by spaces.

    The usual way to find words where no space tells them apart; a single character stays alone.
    """
    return _RUN.sub(lambda match: f" {_pairs(match[0])} ", text)


def _pairs(run: str) -> str:
    return " ".join(run[at : at + 2] for at in range(max(1, len(run) - 1)))
