"""The files of a model version: kept in Django's storage, digested, and verified before use.

A version's row is written after its files are, so no row is without them; what a killed process
left is removed when the number is given again. Nothing that could be a pickle is ever kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO, Any

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction

from docintel import safetensors_header
from docintel.locking import hold_model
from docintel.models import ModelVersion
from docintel.placing import place_once
from docintel.safetensors_header import NotSafetensors

SUFFIXES = (".safetensors", ".json", ".toml", ".md", ".txt", ".png")
MOST_FILES = 200
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*(:[a-z0-9][a-z0-9_-]*)?")
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+ -]*")
_PNG = b"\x89PNG\r\n\x1a\n"
_BLOCK = 1 << 20
# Folder -> what its files were when their digests were right.
_verified: dict[str, tuple[tuple[object, ...], ...]] = {}


class CannotKeep(ValueError):
    """These files cannot be kept as a version; the message names the file and says why."""


class ArtefactDamaged(Exception):
    """A file of a version is missing or not what was kept; the message names it."""

    def __init__(self, version: ModelVersion, file: str, reason: str) -> None:
        super().__init__(f"{version}: {file} {reason}")
        self.version = version
        self.file = file


def keep(folder: Path, name: str, **fields: Any) -> ModelVersion:
    """A candidate with a copy of every file in the folder; `fields` are columns of ModelVersion.

    `name` is in lower case, as "tagger:kpis". Holds the name while it copies, so numbers have no
    gaps. Raises CannotKeep before anything is written; where writing fails (OSError), what was
    written is removed and no row is there.
    """
    if not _NAME.fullmatch(name):
        raise CannotKeep(f"{name!r} is no name of a model: lower case, digits, - and _, one colon")
    files = {file: _described(folder / file) for file in _listed(folder)}
    check_files(folder, files)
    fields.setdefault("digest", _digest(files, str(fields.get("base_digest", ""))))
    with transaction.atomic():
        hold_model(name)
        number = ModelVersion.next_number(name)
        place = _place(name, number)
        _clear(place)
        try:
            for file, described in files.items():
                _store(folder / file, f"{place}/{file}", described)
            return ModelVersion.objects.create(
                **{"version": str(number), **fields}, name=name, number=number, files=files
            )
        except BaseException:
            _clear(place)
            raise


def open_folder(version: ModelVersion) -> Path:
    """A local folder with exactly the files of this version, every digest verified.

    Verified once per process, and again when a file's size or time has changed. Trap: to be read
    only. Raises ArtefactDamaged.
    """
    for file in version.files:
        if not _is_safe(file):
            raise ArtefactDamaged(version, file, "is no name that a version may hold")
    if not version.files:
        raise ArtefactDamaged(version, "every file", "is missing: it was registered without files")
    try:
        folder = Path(default_storage.path(_place(version.name, version.number)))
    except NotImplementedError:
        folder = _fetched(version)
    _verify(version, folder)
    return folder


def digest_of_folder(folder: Path, base_digest: str = "") -> str:
    """The digest that `keep` gives a version of these files. Raises CannotKeep."""
    if not folder.is_dir():
        raise CannotKeep(f"{folder} is no folder")
    return _digest_of(folder, base_digest, _state(folder))


def check_files(folder: Path, files: dict[str, dict[str, Any]]) -> None:
    """Raises CannotKeep for a file that is not what its name says."""
    for file in files:
        try:
            _check(folder / file)
        except (OSError, ValueError) as error:
            raise CannotKeep(f"{file} cannot be kept: {error}") from error


def _listed(folder: Path) -> list[str]:
    """Relative names of all files below the folder, in order."""
    if not folder.is_dir():
        raise CannotKeep(f"{folder} is no folder")
    found = []
    for path in sorted(folder.rglob("*")):
        file = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise CannotKeep(f"{file} cannot be kept: it is a link")
        if path.is_dir():
            continue
        if not _is_safe(file):
            raise CannotKeep(
                f"{file} cannot be kept: only plain names ending in {', '.join(SUFFIXES)}"
            )
        found.append(file)
    if not found or len(found) > MOST_FILES:
        raise CannotKeep(f"{folder} holds {len(found)} files; 1 to {MOST_FILES} can be kept")
    return found


def _is_safe(file: str) -> bool:
    parts = file.split("/")
    return len(file) <= 150 and file.endswith(SUFFIXES) and all(map(_PART.fullmatch, parts))


def _check(path: Path) -> None:
    """Raises ValueError in words."""
    if path.suffix == ".safetensors":
        safetensors_header.check(path)
        return
    content = path.read_bytes()
    if path.suffix == ".png":
        if not content.startswith(_PNG):
            raise ValueError("it is no PNG picture")
        return
    text = content.decode("utf-8")
    if "\0" in text:
        raise ValueError("it is no text")
    if path.suffix == ".json":
        json.loads(text)
    elif path.suffix == ".toml":
        tomllib.loads(text)


def _described(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"sha256": _sha256(file), "bytes": path.stat().st_size}


def _sha256(file: IO[bytes]) -> str:
    found = hashlib.sha256()
    while block := file.read(_BLOCK):
        found.update(block)
    return found.hexdigest()


def _digest(files: dict[str, dict[str, Any]], base_digest: str) -> str:
    stated = json.dumps([files, base_digest], sort_keys=True)
    return hashlib.sha256(stated.encode()).hexdigest()


@lru_cache(maxsize=8)
def _digest_of(folder: Path, base_digest: str, state: object) -> str:  # noqa: ARG001  others, other files
    return _digest({file: _described(folder / file) for file in _listed(folder)}, base_digest)


def _place(name: str, number: int) -> str:
    # A dot is in no name, so no two names share a folder.
    return f"models/{name.replace(':', '.')}/{number}"


def _store(source: Path, place: str, described: dict[str, Any]) -> None:
    """Copy one file and read it back: a storage that lost or changed a byte is found out now."""
    with source.open("rb") as file:
        stored = default_storage.save(place, File(file, name=source.name))
    if stored != place:
        default_storage.delete(stored)
        raise OSError(f"{place} is in the way")
    _flush(place)
    with default_storage.open(place) as written:
        if _sha256(written) != described["sha256"]:
            raise OSError(f"{place} was not stored as it was")


def _flush(place: str) -> None:
    """A local file must be on disk before the row that names it is."""
    try:
        path = Path(default_storage.path(place))
    except NotImplementedError:
        return
    for each in (path, path.parent):
        descriptor = os.open(each, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _clear(place: str) -> None:
    """Remove what is stored there, if anything; of a number that no row has."""
    try:
        path = Path(default_storage.path(place))
    except NotImplementedError:
        for file in _stored_below(place):
            default_storage.delete(file)
    else:
        shutil.rmtree(path, ignore_errors=True)


def _stored_below(place: str) -> Iterator[str]:
    try:
        folders, files = default_storage.listdir(place)
    except FileNotFoundError:
        return
    yield from (f"{place}/{file}" for file in files)
    for folder in folders:
        yield from _stored_below(f"{place}/{folder}")


def _fetched(version: ModelVersion) -> Path:
    """A copy on this machine, for a storage that is elsewhere; fetched again if it is damaged."""
    folder = settings.MODELS_DIR / "kept" / version.digest

    def build(empty: Path) -> None:
        for file in version.files:
            target = empty / PurePosixPath(file)
            target.parent.mkdir(parents=True, exist_ok=True)
            stored = f"{_place(version.name, version.number)}/{file}"
            try:
                with default_storage.open(stored) as source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy, _BLOCK)
            except FileNotFoundError as error:
                raise ArtefactDamaged(version, file, "is missing in the storage") from error

    if folder.is_dir():
        try:
            _verify(version, folder)
        except ArtefactDamaged:
            shutil.rmtree(folder)
    place_once(folder, build)
    return folder


def _verify(version: ModelVersion, folder: Path) -> None:
    """Raises ArtefactDamaged for the first file that is missing, changed, or not of the version."""
    state = _state(folder)
    key = f"{version.pk}:{version.digest}:{folder}"
    if _verified.get(key) == state:
        return
    there = {entry[0] for entry in state}
    for file, expected in version.files.items():
        if file not in there:
            raise ArtefactDamaged(version, file, f"is missing in {folder}")
        if (folder / file).is_symlink():
            raise ArtefactDamaged(version, file, "is a link")
        try:
            found = _described(folder / file)
        except OSError as error:
            raise ArtefactDamaged(version, file, f"cannot be read: {error.strerror}") from error
        if found != expected:
            was = f"SHA-256 {str(expected.get('sha256'))[:12]}…, {expected.get('bytes')} bytes"
            now = f"{found['sha256'][:12]}…, {found['bytes']} bytes"
            raise ArtefactDamaged(version, file, f"is not what was kept: {was}; it is {now}")
        _check_again(version, folder / file, file)
    for file in sorted(str(name) for name in there - set(version.files)):
        raise ArtefactDamaged(version, file, f"lies in {folder} and is no part of the version")
    _verified[key] = state


def _check_again(version: ModelVersion, path: Path, file: str) -> None:
    """A row may have been written by hand; its tensors must be tensors all the same."""
    if path.suffix == ".safetensors":
        try:
            safetensors_header.check(path)
        except NotSafetensors as error:
            raise ArtefactDamaged(version, file, f"is no safetensors file: {error}") from error


def _state(folder: Path) -> tuple[tuple[object, ...], ...]:
    """Name, size, time and inode of every file; a symbolic link counts as itself."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_dir():
            known = path.lstat()
            file = path.relative_to(folder).as_posix()
            found.append((file, known.st_size, known.st_mtime_ns, known.st_ino))
    return tuple(found)
