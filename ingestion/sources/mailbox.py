"""Mail kept as files (EML) in a folder: each message is a document, and so is each attachment.

Trap: names in a message are its sender's words; they are shown, and never used as paths.
"""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import html
import os
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path, PurePath

from django.conf import settings

from ingestion.models import Source
from ingestion.parsing.detect import SUFFIXES
from ingestion.sources.items import Item, Known, Listing, Unusable

MOST_ATTACHMENTS = 50
SHOWN_HEADERS = ("From", "To", "Date", "Subject")
_POLICY = email.policy.default


def list_new(source: Source, known: Known) -> Listing:
    """The messages that are new or changed since, with their attachments before them."""
    root = Path(source.location)
    if not root.is_dir():
        raise Unusable(f"There is no folder {root}.")
    listing = Listing()
    listing.items = _items(root, known, listing.notes)
    return listing


def _items(root: Path, known: Known, notes: list[str]) -> Iterator[Item]:
    for path in _files(root):
        relative = path.relative_to(root).as_posix()
        external_id = relative.encode(errors="surrogateescape").decode(errors="replace")[:400]
        try:
            status = path.stat()
            version = f"{status.st_size}:{status.st_mtime_ns}"
            if known(external_id, version):
                continue
            if status.st_size > settings.MAX_FILE_BYTES:
                notes.append(f"{external_id} is too large.")
                continue
            message = email.message_from_bytes(path.read_bytes(), policy=_POLICY)
            # All of them first: a message that ends in an error leaves nothing half done.
            found = list(_of_message(message, external_id, version, notes))
        except OSError as error:
            notes.append(f"{external_id} cannot be read: {error.strerror}.")
            continue
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            notes.append(f"{external_id} is no message that can be read ({type(error).__name__}).")
            continue
        yield from found


def _files(root: Path) -> Iterator[Path]:
    home = root.resolve()
    for folder, names, files in os.walk(root, followlinks=False):
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            inside = not path.is_symlink() or path.resolve().is_relative_to(home)
            if name.lower().endswith(".eml") and inside and path.is_file():
                yield path


def _of_message(
    message: EmailMessage, external_id: str, version: str, notes: list[str]
) -> Iterator[Item]:
    subject = _header(message, "Subject") or "Message without a subject"
    published = _day(message)
    for number, part in enumerate(_attachments(message), 1):
        if number > MOST_ATTACHMENTS:
            notes.append(f"{external_id}: only the first {MOST_ATTACHMENTS} attachments are read.")
            break
        name = _name(part)
        if PurePath(name).suffix.lower() not in SUFFIXES:
            notes.append(
                f"{external_id}: the attachment {name[:100]!r} is of no kind that is read."
            )
            continue
        content = part.get_payload(decode=True)
        if isinstance(content, bytes) and content:
            yield Item(
                external_id=f"{external_id}#{number}",
                content=content,
                file_name=name,
                published_on=published,
                version=version,
            )
    yield Item(
        external_id=external_id,
        content=_page(message, subject),
        file_name="message.html",
        title=subject[:500],
        published_on=published,
        version=version,
    )


def _attachments(message: EmailMessage) -> Iterator[EmailMessage]:
    for part in message.walk():
        disposed = part.get_content_disposition() == "attachment" or bool(part.get_filename())
        if disposed and not part.is_multipart() and isinstance(part, EmailMessage):
            yield part


def _name(part: EmailMessage) -> str:
    name = part.get_filename() or ""
    return name.replace("\\", "/").rsplit("/", 1)[-1].replace("\0", "") or "attachment"


def _page(message: EmailMessage, subject: str) -> bytes:
    """The message as HTML: who, when, what, then its text; its own HTML only if it has no text."""
    lines = [f"{name}: {_header(message, name)}" for name in SHOWN_HEADERS]
    head = "".join(f"<p>{html.escape(line)}</p>\n" for line in lines)
    body = message.get_body(preferencelist=("plain", "html"))
    words = _content(body) if isinstance(body, EmailMessage) else ""
    if isinstance(body, EmailMessage) and body.get_content_type() != "text/html":
        parts = [part.strip() for part in words.replace("\r\n", "\n").split("\n\n")]
        words = "\n".join(f"<p>{html.escape(part)}</p>" for part in parts if part)
    title = f'<head><meta charset="utf-8"><title>{html.escape(subject)}</title></head>'
    page = f"<!doctype html>\n<html>{title}\n<body>\n<h1>{html.escape(subject)}</h1>\n{head}{words}"
    return f"{page}\n</body></html>\n".encode("utf-8", "replace")


def _content(body: EmailMessage) -> str:
    try:
        return str(body.get_content())
    except (LookupError, ValueError):
        payload = body.get_payload(decode=True)
        return payload.decode("latin-1") if isinstance(payload, bytes) else ""


def _header(message: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(message.get(name) or "").split())[:500]
    except (ValueError, LookupError, TypeError, AttributeError, IndexError):
        return ""


def _day(message: EmailMessage) -> dt.date | None:
    try:
        stated = getattr(message.get("Date"), "datetime", None)
        return stated.date() if stated else None
    except (ValueError, TypeError, AttributeError, IndexError, OverflowError):
        return None
