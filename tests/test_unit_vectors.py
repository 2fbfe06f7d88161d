"""Units get vectors of the live embedder after their passages, and are compared with a question."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from django.conf import LazySettings

from docintel import encoders, registry
from docintel.models import Measurement, ModelVersion
from ingestion import health, indexing, pipeline, rerunning, unit_vectors
from ingestion.models import MAX_ATTEMPTS, Chunk, Document, Source, UnitVectors
from ingestion.receiving import source_of_kind, take_in
from ingestion.unit_vectors import nearness, packed, unpacked

pytestmark = pytest.mark.django_db(transaction=True)
TEXT = (
    "The weather was mild. Our people work in many plants. We thank our holders. "
    "A fire at the resin plant of our only supplier stopped the moulding line for nine weeks. "
    "The board met six times. The offices were painted. The lease of the car park was renewed. "
)


@pytest.fixture(autouse=True)
def stored(tmp_path: Path, settings: LazySettings) -> None:
    settings.MEDIA_ROOT = tmp_path


def send(words: str, name: str = "a.txt") -> Document:
    source = source_of_kind(Source.Kind.UPLOAD)
    return take_in(source, name, BytesIO(words.encode())).document


def fresh(document: Document) -> Document:
    return Document.objects.get(pk=document.pk)


def embedded(words: str = TEXT, name: str = "a.txt") -> Document:
    document = send(words, name)
    pipeline.parse_pending()
    pipeline.index_pending()
    assert pipeline.units_pending() == 0
    pipeline.embed_pending()
    return fresh(document)


def test_units_follow_the_vectors_of_passages() -> None:
    document = embedded()
    assert document.unit_embedder is None
    assert pipeline.units_pending() == 1
    assert fresh(document).unit_embedder == encoders.live_embedder()
    row = UnitVectors.objects.get()
    assert [document.text[a:b].split()[0] for a, b in zip(row.starts, row.ends, strict=True)] == [
        "The", "We", "The",
    ]  # fmt: skip
    assert len(row.vectors) == len(row.starts) * (encoders.live_embedder().dimensions or 0)
    assert Measurement.objects.get(name="units_seconds").labels == {"units": 3, "done": True}
    assert pipeline.units_pending() == 0
    assert pipeline.progress()["with_units"] == 1


def test_the_unit_that_answers_is_the_nearest() -> None:
    embedded()
    pipeline.units_pending()
    chunk = Chunk.objects.get()
    asked = encoders.embed(["What did the blaze at the plastic maker halt?"], kind="query")[0]
    found = nearness([chunk.pk], asked, encoders.live_embedder())[chunk.pk]
    low, high = found.spans[int(np.argmax(found.cosines))]
    assert "resin plant" in fresh(chunk.document).text[low:high]


def test_bytes_keep_the_cosines() -> None:
    chance = np.random.default_rng(7)
    vectors = chance.normal(size=(50, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    again = unpacked(packed(vectors), 50)
    assert np.abs(again @ vectors.T - vectors @ vectors.T).max() < 0.005
    assert unpacked(packed(np.zeros((1, 8), np.float32)), 1).tolist() == [[0.0] * 8]


def test_only_vectors_of_this_embedder_are_compared() -> None:
    embedded()
    pipeline.units_pending()
    other = ModelVersion.objects.create(name="embedder", version="tuned", digest="e" * 64)
    chunk = Chunk.objects.get()
    vector = np.ones(768, dtype=np.float32)
    assert nearness([chunk.pk], vector, other) == {}
    assert nearness([], vector, encoders.live_embedder()) == {}


def test_another_live_embedder_makes_its_own_backlog(monkeypatch: pytest.MonkeyPatch) -> None:
    document = embedded()
    pipeline.units_pending()
    other = ModelVersion.objects.create(
        name="embedder", version="tuned", digest="e" * 64, dimensions=384
    )
    registry.make_live(other, prepared=True)
    monkeypatch.setattr(encoders, "live_embedder", lambda: other)
    assert pipeline.units_pending() == 0
    assert pipeline.embed_pending() == 1
    assert pipeline.units_pending() == 1
    assert fresh(document).unit_embedder == other
    assert UnitVectors.objects.get().embedder == other


def test_a_batch_is_kept_and_search_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit_vectors, "CHUNKS_PER_COMMIT", 1)
    document = embedded(TEXT * 40)
    send("Revenue rose.", "urgent.txt")
    assert pipeline.units_pending() == 1
    assert UnitVectors.objects.count() == 1
    assert fresh(document).unit_embedder is None
    assert (fresh(document).claim, fresh(document).attempts) == (None, 0)
    while pipeline.work_once(60):
        pass
    assert UnitVectors.objects.count() == Chunk.objects.count()


def test_they_wait_for_an_encoder_without_using_up_attempts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    document = embedded()

    def absent(texts: list[str]) -> None:
        raise encoders.EncoderUnavailable("the inference role does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(encoders, "embed", absent)
        for _ in range(MAX_ATTEMPTS + 1):
            assert pipeline.units_pending() == 0
    assert fresh(document).attempts == 0
    assert fresh(document).state == "embedded"


def test_a_document_cut_anew_wants_new_units() -> None:
    document = embedded()
    pipeline.units_pending()
    indexing.make_searchable(fresh(document))
    assert fresh(document).unit_embedder is None
    assert not UnitVectors.objects.exists()
    while pipeline.work_once(60):
        pass
    assert UnitVectors.objects.count() == 1


def test_a_person_has_them_made_again() -> None:
    document = embedded()
    pipeline.units_pending()
    said = rerunning.rerun_document(fresh(document), Document.Stage.UNITS)
    assert "unit by unit" in said
    assert not UnitVectors.objects.exists()
    assert pipeline.units_pending() == 1


def test_health_names_what_waits() -> None:
    embedded()
    findings = {finding.name: finding for finding in health.findings()}
    assert findings["Vectors of units"].message.startswith("1 document waiting")
    assert findings["Vectors of units"].ok
