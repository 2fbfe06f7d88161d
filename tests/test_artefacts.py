"""Kept files: verified before use, refused when they could be code, whole or not there at all."""

from __future__ import annotations

import errno
import json
import os
import pickle
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings as project_settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage, default_storage
from django.db import connection
from safetensors.numpy import save_file

from docintel import artefacts, postgres, registry
from docintel.artefacts import ArtefactDamaged, CannotKeep
from docintel.models import ModelFlip, ModelVersion
from docintel.registry import CannotFlip

ROOT = Path(__file__).resolve().parent.parent
NAME = "tagger:test"


class Elsewhere(Storage):
    """As a storage on another machine: its files have no paths here."""

    held: dict[str, bytes] = {}

    def _open(self, name, mode="rb"):
        if name not in self.held:
            raise FileNotFoundError(name)
        return ContentFile(self.held[name])

    def _save(self, name, content):
        self.held[name] = b"".join(content.chunks())
        return name

    def exists(self, name):
        return name in self.held

    def delete(self, name):
        self.held.pop(name, None)

    def listdir(self, path):
        below = [name[len(path) + 1 :] for name in self.held if name.startswith(f"{path}/")]
        if not below:
            raise FileNotFoundError(path)
        folders = sorted({name.partition("/")[0] for name in below if "/" in name})
        return folders, [name for name in below if "/" not in name]


@pytest.fixture
def store(settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "files"
    settings.MODELS_DIR = tmp_path / "models"
    return tmp_path / "files"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "made"
    (made / "curves").mkdir(parents=True)
    save_file({"w": np.arange(6, dtype=np.float32).reshape(2, 3)}, made / "heads.safetensors")
    (made / "tagger.json").write_text(json.dumps({"labels": ["KPI"]}))
    (made / "card.md").write_text("# Tagger\n")
    (made / "curves" / "loss.png").write_bytes(b"\x89PNG\r\n\x1a\n...")
    return made


@pytest.mark.django_db
def test_what_is_kept_can_be_opened_and_is_a_candidate(store: Path, folder: Path) -> None:
    version = artefacts.keep(
        folder, NAME, base_encoder="mini", base_digest="b" * 64, snapshot_hash="5" * 64,
        metrics={"f1": 0.5}, card="text", created_by="run 7",
    )  # fmt: skip
    assert (version.state, version.number, version.kind) == ("candidate", 1, "tagger")
    assert registry.live(NAME) is None
    assert set(version.files) == {
        "heads.safetensors", "tagger.json", "card.md", "curves/loss.png"
    }  # fmt: skip
    opened = artefacts.open_folder(version)
    for file, known in version.files.items():
        assert (opened / file).read_bytes() == (folder / file).read_bytes()
        assert (opened / file).stat().st_size == known["bytes"]
    assert opened == store / "models" / "tagger.test" / "1"
    again = artefacts.keep(folder, NAME, base_digest="b" * 64)
    assert (again.number, again.digest) == (2, version.digest)
    assert artefacts.keep(folder, NAME).digest != version.digest


@pytest.mark.django_db
def test_every_kind_of_damage_is_found_and_named(store: Path, folder: Path) -> None:
    version = artefacts.keep(folder, NAME)
    opened = artefacts.open_folder(version)
    heads = opened / "heads.safetensors"
    good = heads.read_bytes()

    heads.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(ArtefactDamaged, match=r"heads\.safetensors is not what was kept"):
        artefacts.open_folder(version)
    heads.write_bytes(good[:-3])
    with pytest.raises(ArtefactDamaged, match=r"heads\.safetensors is not what was kept"):
        artefacts.open_folder(version)
    heads.unlink()
    with pytest.raises(ArtefactDamaged, match=r"heads\.safetensors is missing"):
        artefacts.open_folder(version)
    heads.symlink_to(folder / "heads.safetensors")
    with pytest.raises(ArtefactDamaged, match=r"heads\.safetensors is a link"):
        artefacts.open_folder(version)
    heads.unlink()
    heads.write_bytes(good)
    assert artefacts.open_folder(version) == opened
    (opened / "curves" / "extra.pkl").write_bytes(pickle.dumps(1))
    with pytest.raises(ArtefactDamaged, match=r"curves/extra\.pkl lies in"):
        artefacts.open_folder(version)


@pytest.mark.django_db
def test_a_damaged_version_does_not_go_live(store: Path, folder: Path) -> None:
    first, second = artefacts.keep(folder, NAME), artefacts.keep(folder, NAME)
    registry.make_live(first)
    (store / "models/tagger.test/2/tagger.json").write_text("{}")
    with pytest.raises(ArtefactDamaged, match=r"tagger\.json"):
        registry.make_live(second)
    registry.make_live(artefacts.keep(folder, NAME))
    (store / "models/tagger.test/1/card.md").unlink()
    with pytest.raises(ArtefactDamaged, match=r"card\.md"):
        registry.roll_back(NAME)
    assert registry.live(NAME).number == 3
    assert ModelFlip.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("file", ["../x.json", "/etc/x.json", "a/../../x.json", ".x.json", "x.pkl"])
def test_a_row_that_points_elsewhere_is_refused(store: Path, folder: Path, file: str) -> None:
    version = artefacts.keep(folder, NAME)
    version.files = {**version.files, file: {"sha256": "0", "bytes": 0}}
    with pytest.raises(ArtefactDamaged, match="no name that a version may hold"):
        artefacts.open_folder(version)


def _write(folder: Path, file: str, content: bytes) -> None:
    (folder / file).write_bytes(content)


def _header(header: object, data: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def _tensor(start: int, end: int, shape: list[int], dtype: str = "F32") -> dict:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


REFUSED = {
    "a pickle by name": ("heads.pkl", pickle.dumps([1])),
    "a checkpoint by name": ("model.bin", b"PK\x03\x04"),
    "a pickle as safetensors": ("a.safetensors", pickle.dumps({"w": [1.0] * 9})),
    "a pickle as JSON": ("a.json", pickle.dumps({"w": 1})),
    "a pickle as text": ("a.txt", pickle.dumps({"w": 1})),
    "a zip as a card": ("b.md", b"PK\x03\x04\0\0\0\0"),
    "text as a picture": ("a.png", b"import os"),
    "broken JSON": ("a.json", b'{"labels": ['),
    "broken TOML": ("a.toml", b"= ="),
    "an empty file": ("a.safetensors", b""),
    "a header only begun": ("a.safetensors", b"\x10\0\0\0\0\0\0\0{"),
    "a header of a list": ("a.safetensors", _header([])),
    "too deep a header": ("a.safetensors", _header("[" * 99_999)[:8] + b"[" * 100_001),
    "missing bytes": ("a.safetensors", _header({"w": _tensor(0, 8, [2])}, b"1234")),
    "bytes too many": ("a.safetensors", _header({"w": _tensor(0, 4, [1])}, b"12345678")),
    "a gap": ("a.safetensors", _header({"w": _tensor(4, 8, [1])}, b"12345678")),
    "an overlap": (
        "a.safetensors",
        _header({"a": _tensor(0, 8, [2]), "b": _tensor(4, 12, [2])}, b"1" * 12),
    ),
    "another shape": ("a.safetensors", _header({"w": _tensor(0, 8, [3])}, b"12345678")),
    "no such type": ("a.safetensors", _header({"w": _tensor(0, 8, [2], "PY")}, b"12345678")),
    "a negative side": ("a.safetensors", _header({"w": _tensor(0, 8, [-2])}, b"12345678")),
    "sides that are no counts": ("a.safetensors", _header({"w": _tensor(0, 8, [2.0])}, b"1" * 8)),
    "a hidden file": (".hidden.json", b"{}"),
    "a name with a line end": ("a\nb.json", b"{}"),
    "no suffix": ("LICENSE", b"MIT"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("case", REFUSED)
def test_what_could_be_code_or_is_damaged_is_not_kept(store: Path, folder: Path, case: str) -> None:
    file, content = REFUSED[case]
    _write(folder, file, content)
    with pytest.raises(CannotKeep) as refused:
        artefacts.keep(folder, NAME)
    assert file in str(refused.value)
    assert not ModelVersion.objects.exists()
    assert not store.exists()


@pytest.mark.django_db
def test_links_empty_folders_and_odd_names_are_refused(store: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("hush")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(CannotKeep, match="0 files"):
        artefacts.keep(empty, NAME)
    with pytest.raises(CannotKeep, match="is no folder"):
        artefacts.keep(tmp_path / "none", NAME)
    (empty / "a.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(CannotKeep, match=r"a\.txt cannot be kept: it is a link"):
        artefacts.keep(empty, NAME)
    for name in ("../up", "a/b", "a:b:c", "Tagger", "", "a.b", "tagger:"):
        with pytest.raises(CannotKeep, match="is no name of a model"):
            artefacts.keep(empty, name)


@pytest.mark.django_db
def test_a_full_disk_leaves_nothing_behind(
    store: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = FileSystemStorage.save

    def full(storage, name, content, max_length=None):
        if name.endswith("tagger.json"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(storage, name, content, max_length)

    monkeypatch.setattr(FileSystemStorage, "save", full)
    with pytest.raises(OSError, match="No space left"):
        artefacts.keep(folder, NAME)
    monkeypatch.undo()
    assert not ModelVersion.objects.exists()
    assert not [path for path in store.rglob("*") if path.is_file()]
    assert artefacts.keep(folder, NAME).number == 1


@pytest.mark.django_db
def test_where_the_system_itself_refuses_to_write_nothing_is_left(
    store: Path, folder: Path
) -> None:
    """By the limit that the system sets on a file, met in the middle of one."""
    big = {"w": np.zeros((400, 400), dtype=np.float32)}
    save_file(big, folder / "heads.safetensors")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            artefacts.keep(folder, NAME)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not ModelVersion.objects.exists()
    assert not [path for path in store.rglob("*") if path.is_file()]
    kept = artefacts.keep(folder, NAME)
    assert kept.number == 1
    assert (artefacts.open_folder(kept) / "heads.safetensors").stat().st_size > 600_000


@pytest.mark.django_db
def test_a_storage_elsewhere_is_copied_and_repaired(store: Path, folder: Path, settings) -> None:
    settings.STORAGES = {
        **project_settings.STORAGES,
        "default": {"BACKEND": f"{__name__}.Elsewhere"},
    }
    # What a killed process left under this number.
    default_storage.save("models/tagger.test/1/deep/left.json", ContentFile(b"{"))
    version = artefacts.keep(folder, NAME)
    assert sorted(Elsewhere.held) == [f"models/tagger.test/1/{file}" for file in version.files]
    opened = artefacts.open_folder(version)
    assert opened.is_relative_to(settings.MODELS_DIR)
    assert (opened / "curves/loss.png").exists()
    (opened / "tagger.json").write_text("{}")
    assert artefacts.open_folder(version) == opened
    assert json.loads((opened / "tagger.json").read_text()) == {"labels": ["KPI"]}
    default_storage.delete("models/tagger.test/1/card.md")
    (opened / "card.md").unlink()
    with pytest.raises(ArtefactDamaged, match=r"card\.md is missing in the storage"):
        artefacts.open_folder(version)


KEEP = """
import os, sys, django
from pathlib import Path
os.environ["DJANGO_SETTINGS_MODULE"] = "docintel.settings"
django.setup()
from docintel import artefacts
real = artefacts._store
def slow(source, place, described):
    real(source, place, described)
    print("stored", flush=True)
    sys.stdin.readline()
artefacts._store = slow
artefacts.keep(Path(sys.argv[1]), "tagger:test")
"""


@pytest.mark.django_db(transaction=True)
def test_a_kill_while_keeping_leaves_no_row_and_does_not_disturb_the_next(
    store: Path, folder: Path
) -> None:
    artefacts.keep(folder, NAME)
    here = postgres.url(project_settings.VAR_DIR, connection.settings_dict["NAME"])
    process = subprocess.Popen(
        [sys.executable, "-c", KEEP, str(folder)],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": here, "MEDIA_ROOT": str(store)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "stored\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    left = store / "models/tagger.test/2"
    assert [path for path in left.rglob("*") if path.is_file()]
    assert ModelVersion.objects.count() == 1
    with pytest.raises(CannotFlip, match="no version 2"):
        registry.get(NAME, 2)
    # What was left there is gone, even a file that the next version does not have.
    (left / "torn.json").write_text("{")
    version = artefacts.keep(folder, NAME)
    assert version.number == 2
    artefacts.open_folder(version)


@pytest.mark.django_db
def test_what_comes_with_the_code_never_displaces_what_was_trained(
    store: Path, folder: Path
) -> None:
    bundled = registry.register_bundled(folder, NAME, card="as bundled")
    assert bundled.is_live
    assert registry.register_bundled(folder, NAME) == bundled
    (folder / "card.md").write_text("# Newer\n")
    newer = registry.register_bundled(folder, NAME)
    assert newer.is_live
    assert newer.number == 2
    trained = artefacts.keep(folder, NAME, created_by="run 1")
    registry.make_live(trained, who="olga")
    (folder / "card.md").write_text("# Newest\n")
    assert registry.register_bundled(folder, NAME) == trained
    registry.roll_back(NAME)
    assert registry.live(NAME) == newer


def test_the_formats_own_library_reads_what_the_header_check_passes(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    path = tmp_path / "a.safetensors"
    tensors = {
        "scalar": np.float32(3), "none": np.zeros((0, 4), np.float16), "n": np.arange(5),
    }  # fmt: skip
    save_file({k: np.asarray(v) for k, v in tensors.items()}, path, metadata={"by": "test"})
    shapes = artefacts.safetensors_header.check(path)
    assert shapes == {k: v.shape for k, v in load_file(path).items()}
