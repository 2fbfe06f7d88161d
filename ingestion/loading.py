"""What the demo loads: the sample corpus, or a person's own folder, as sources the workers scan."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from ingestion.fetching import open_folder
from ingestion.models import Source
from ingestion.parsing.detect import SUFFIXES
from ingestion.receiving import Refused
from ingestion.sample.generate import questions_file, write_corpus

# Written last, so that its presence says that all the rest was written.
LAST_FILE = "questions.jsonl"


def check_folder(name: str) -> Path:
    """The folder that a person named. Raises Refused in words."""
    folder = Path(name).expanduser().resolve()
    if not folder.is_dir():
        raise Refused(f"{folder} is not a folder")
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        raise Refused(f"cannot read {folder}: {error.strerror}") from error
    if not any(path.suffix.lower() in SUFFIXES for path in folder.rglob("*")):
        raise Refused(f"{folder} holds no PDF, HTML, DOCX, text or Markdown file")
    return folder


def open_sample(folder: Path) -> list[Source]:
    """The sample corpus, written to `folder` if it is not there yet; seconds on the first call."""
    if not (folder / LAST_FILE).exists():
        write_corpus(folder)
    return open_folder(folder)


def are_scanned(sources: Sequence[Source]) -> bool:
    """Whether a worker has been through all these folders."""
    mine = Source.objects.filter(pk__in=[source.pk for source in sources])
    return not mine.filter(last_success_at=None, last_error="").exists()


def examples(n: int) -> list[str]:
    """Up to `n` questions that the sample corpus answers, each of another type."""
    first: dict[str, str] = {}
    for line in questions_file().read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if entry["answer"] is not None:
            first.setdefault(entry["type"], entry["question"])
    return list(first.values())[:n]
