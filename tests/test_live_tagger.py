"""The live version tags: loaded once, replaced when another goes live, refused when damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from docintel import artefacts, registry
from docintel.models import ModelVersion
from extraction import tagging
from extraction.ml.learning import Course
from extraction.ml.settings import Design
from extraction.ml.training import Base, Material, Plan, save, train
from extraction.tagging import TaggerUnavailable
from tests.tiny_taggers import GROUPS, examples, tiny_encoder

pytestmark = pytest.mark.django_db
TEXT = "the net revenue was $ 12 million and the year"


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, encoder: Path) -> list[Path]:
    """Two versions of one tagger: the first has learned much, the second hardly anything."""
    found = []
    for number, epochs in enumerate((6, 1)):
        design = Design(GROUPS, rank=4, hidden=32, length=20, stride=10)
        plan = Plan(Base(str(encoder), encoder), design, Course(epochs, 8, 5e-3, 1e-2))
        known = examples(120)
        material = Material(known[:90], known[90:110], known[110:])
        work = tmp_path_factory.mktemp("work")
        outcome = train(material, plan, work, lambda *_: None)
        save(outcome, work / "folder", f"# Number {number}\n")
        found.append(work / "folder")
    return found


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings) -> None:
    monkeypatch.setattr(tagging, "_loaded", {})
    monkeypatch.setattr(tagging, "BUNDLED", tmp_path / "bundled")
    settings.MODELS_DIR = tmp_path / "models"
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.INFERENCE_DEVICE = "cpu"


def kept(folder: Path, encoder: Path) -> ModelVersion:
    return artefacts.keep(folder, "tagger:tiny", base_encoder=str(encoder))


def test_a_schema_without_a_trained_version_says_what_to_do() -> None:
    assert tagging.live_tagger("tiny") is None
    with pytest.raises(TaggerUnavailable, match="train tagger --schema tiny"):
        tagging.tag(TEXT, "tiny")


def test_a_candidate_serves_only_once_it_is_live(folders: list[Path], encoder: Path) -> None:
    version = kept(folders[0], encoder)
    assert tagging.live_tagger("tiny") is None
    registry.make_live(version)
    assert tagging.live_tagger("tiny") == version
    found = tagging.tag(TEXT, "tiny")
    assert {(span.label, TEXT[span.start : span.end]) for span in found} == {
        ("figure", "revenue"),
        ("value", "12"),
        ("phrase", "net revenue was $ 12 million"),
    }


def test_it_is_loaded_once_and_anew_after_a_flip(folders: list[Path], encoder: Path) -> None:
    registry.make_live(kept(folders[0], encoder))
    first = tagging.tagger("tiny")
    assert tagging.tagger("tiny") is first
    before = tagging.tag(TEXT, "tiny", floor=0.0)
    registry.make_live(kept(folders[1], encoder))
    assert tagging.tagger("tiny") is not first
    assert tagging.tag(TEXT, "tiny", floor=0.0) != before
    registry.roll_back("tagger:tiny")
    assert tagging.tag(TEXT, "tiny", floor=0.0) == before


def test_a_damaged_version_is_refused_by_the_name_of_its_file(
    folders: list[Path], encoder: Path
) -> None:
    version = kept(folders[0], encoder)
    registry.make_live(version)
    path = artefacts.open_folder(version) / "heads.safetensors"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(TaggerUnavailable, match=r"heads\.safetensors"):
        tagging.tag(TEXT, "tiny")


def test_a_missing_encoder_is_told(folders: list[Path]) -> None:
    registry.make_live(artefacts.keep(folders[0], "tagger:tiny", base_encoder="/nowhere/at/all"))
    with pytest.raises(TaggerUnavailable, match="/nowhere/at/all"):
        tagging.tag(TEXT, "tiny")


def test_the_version_in_the_repository_is_live_until_another_is(
    folders: list[Path], encoder: Path, tmp_path: Path
) -> None:
    place = tmp_path / "bundled"
    place.mkdir()
    folders[1].rename(place / "tiny")
    try:
        bundled = tagging.live_tagger("tiny")
        assert bundled is not None
        assert bundled.card == "# Number 1\n"
        assert tagging.live_tagger("tiny") == bundled
        trained = kept(folders[0], encoder)
        registry.make_live(trained)
        assert tagging.live_tagger("tiny") == trained
    finally:
        (place / "tiny").rename(folders[1])
