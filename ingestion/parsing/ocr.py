"""Text of scanned pages by the program `tesseract`, where it is asked for and installed.

Runs within the limits of the child process that parses, each page and all of them with a limit
of time of their own; the text has no places on the page, so nothing of it can be marked there.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from typing import Any

import pypdfium2

from ingestion.parsing.parsed import clean

_PLACES = "/usr/bin:/bin:/usr/local/bin:/opt/homebrew/bin"
_DOTS_PER_INCH = 300
_POINTS_PER_INCH = 72
_MOST_PIXELS = 20_000_000
_PAGE_SECONDS = 60.0


class NoOcr(Exception):
    """The page was not read; the message says why, for people."""


@dataclass(slots=True)
class Ocr:
    """Reads pages in a language ("eng", "deu+fra") until `seconds` from its first page are over."""

    language: str
    seconds: float
    _until: float = field(default=0.0, init=False)

    def read(self, page: Any) -> str:
        """The words of an open PDF page in lines; empty where there are none. Raises NoOcr."""
        program = shutil.which("tesseract", path=_PLACES)
        if program is None:
            raise NoOcr("OCR is switched on, but the program tesseract is not installed")
        self._until = self._until or time.monotonic() + self.seconds
        left = self._until - time.monotonic()
        if left <= 0:
            raise NoOcr("there was no time left for OCR")
        # Quiet, and on one processor: the others have documents of their own.
        command = [program, "stdin", "stdout", "-l", self.language, "--dpi", str(_DOTS_PER_INCH)]
        try:
            done = subprocess.run(
                command,
                input=_image(page),
                capture_output=True,
                timeout=min(left, _PAGE_SECONDS),
                check=False,
                env={"OMP_THREAD_LIMIT": "1", "LANG": "C.UTF-8", "PATH": _PLACES},
            )
        except subprocess.TimeoutExpired as error:
            raise NoOcr("OCR took too long") from error
        except (OSError, pypdfium2.PdfiumError) as error:
            raise NoOcr(f"OCR could not be run ({error})") from error
        if done.returncode:
            complaint = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise NoOcr(f"OCR failed ({complaint[-1][:200] if complaint else 'no message'})")
        return _tidy(done.stdout.decode("utf-8", "replace"))


def _image(page: Any) -> bytes:
    width, height = page.get_size()
    scale = _DOTS_PER_INCH / _POINTS_PER_INCH
    scale = min(scale, (_MOST_PIXELS / max(width * height, 1.0)) ** 0.5)
    output = io.BytesIO()
    page.render(scale=scale, grayscale=True).to_pil().save(output, "PNG", compress_level=1)
    return output.getvalue()


def _tidy(text: str) -> str:
    """Lines without space at their ends, paragraphs parted by one blank line."""
    paragraphs = clean(text).replace("\n \n", "\n\n").split("\n\n")
    lines = (
        "\n".join(" ".join(line.split()) for line in paragraph.split("\n") if line.strip())
        for paragraph in paragraphs
    )
    return "\n\n".join(paragraph for paragraph in lines if paragraph)
