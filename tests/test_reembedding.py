"""Another embedder without a gap: vectors beside the old ones, one flip, and the way back."""

from __future__ import annotations

from contextvars import Context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_corpus import document

from docintel import encoders, registry
from docintel.models import ModelFlip, ModelVersion
from ingestion import embedding_beside, pipeline, reembedding
from ingestion.indexing import make_searchable
from ingestion.models import (
    Chunk,
    ChunkVector,
    Document,
    EmbeddedBeside,
    OtherChunkVector,
    Reembedding,
)
from ingestion.querysets import ChunkQuerySet
from ingestion.reembedding import CannotReembed
from qa import retrieval
from tests.tiny_taggers import tiny_encoder

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("whole_graph")]
TEXTS = ("revenue rose", "debt fell", "cash flow was 12", "tax of the year", "net profit fell to 3")
QUESTION = "net debt rose"


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Encoders with other weights, and their converted graphs."""
    place = tmp_path_factory.mktemp("encoders")
    for seed, name in enumerate(("blue", "green", "red")):
        tiny_encoder(place / name, seed=seed)
    return place


@pytest.fixture
def folders(workshop: Path, settings: Any, tmp_path: Path) -> tuple[Path, Path]:
    """Two encoders; the setting names the first."""
    settings.MODELS_DIR, settings.MEDIA_ROOT = workshop / "models", tmp_path / "media"
    settings.EMBEDDING_MODEL = str(workshop / "blue")
    return workshop / "blue", workshop / "green"


def embedded() -> None:
    """All that waits for vectors of the live embedder gets them."""
    while pipeline.embed_pending():
        pass


def made() -> None:
    """All that waits for vectors of the next one gets them."""
    while embedding_beside.make_pending():
        pass


@pytest.fixture
def blue(folders: tuple[Path, Path]) -> ModelVersion:
    """The live embedder, with three documents that it has embedded."""
    for at in range(3):
        document([*TEXTS[at:], f"share {at}"], file_name=f"{at}.txt")
    embedded()
    return encoders.live_embedder()


@pytest.fixture
def green(folders: tuple[Path, Path], blue: ModelVersion) -> ModelVersion:
    return reembedding.candidate(str(folders[1]))


def found(limit: int = 5) -> list[tuple[int, float]]:
    """What search by meaning gives now."""
    vector = encoders.embed([QUESTION], kind="query")[0]
    rows = Chunk.objects.nearest(vector, None, encoders.live_embedder(), limit)
    return [(row.chunk_id, round(row.score, 3)) for row in rows]


def expected(source: Path) -> dict[int, float]:
    """What each passage that is there scores by these weights."""
    chunks = list(Chunk.objects.order_by("pk"))
    vectors = encoders.embed_here([chunk.body for chunk in chunks], str(source))
    scores = vectors @ encoders.embed_here([QUESTION], str(source), kind="query")[0]
    return {chunk.pk: float(score) for chunk, score in zip(chunks, scores, strict=True)}


def is_best(rows: list[tuple[int, float]], scores: dict[int, float]) -> bool:
    """Whether these are the best by such scores, but for what half precision makes of them."""
    best = sorted(scores.values(), reverse=True)[: len(rows)]
    told = [score for _, score in rows]
    by_hand = [scores[pk] for pk, _ in rows]
    return np.allclose(told, best, atol=3e-3) and np.allclose(told, by_hand, atol=3e-3)


def test_search_stays_on_the_old_until_the_new_are_complete(folders, blue, green, monkeypatch):
    before = found()
    assert is_best(before, expected(folders[0]))
    monkeypatch.setattr(embedding_beside, "CHUNKS_PER_COMMIT", 2)
    row = reembedding.start(green, who="olga")
    # No time at all: one batch of the newest document.
    assert embedding_beside.make_pending(seconds=0) == 2
    assert OtherChunkVector.objects.count() == 2
    assert encoders.live_embedder() == blue
    assert found() == before
    told = reembedding.progress(row)
    assert (told.documents, told.done, told.chunks_left) == (3, 0, 15)
    made()
    row.refresh_from_db()
    assert row.state == "live"
    assert encoders.live_embedder() == green
    assert is_best(found(), expected(folders[1]))
    assert found() != before
    assert not Document.objects.unembedded(green).exists()
    flip = ModelFlip.objects.first()
    assert flip is not None
    assert (flip.from_version, flip.to_version, flip.who) == (blue, green, f"re-embedding {row.pk}")


def test_what_is_killed_goes_on_where_it_stopped(blue, green, monkeypatch) -> None:
    monkeypatch.setattr(embedding_beside, "CHUNKS_PER_COMMIT", 2)
    reembedding.start(green)
    embed, read = encoders.embed_here, []

    def dies(texts: list[str], source: str, **options: Any) -> np.ndarray:
        if len(read) == 6:
            raise KeyboardInterrupt
        read.extend(texts)
        return embed(texts, source, **options)

    with monkeypatch.context() as patch:
        patch.setattr(encoders, "embed_here", dies)
        with pytest.raises(KeyboardInterrupt):
            embedding_beside.make_pending()
    assert OtherChunkVector.objects.count() == len(read) == 6
    assert encoders.live_embedder() == blue
    assert embedding_beside.make_pending() == 15 - 6
    assert registry.live("embedder") == green


def test_roll_back_is_a_flip_and_new_documents_catch_up(folders, blue, green) -> None:
    before = found()
    row = reembedding.start(green)
    made()
    late = document(["dividend of 40 million"], file_name="late.txt")
    embedded()
    assert OtherChunkVector.objects.filter(chunk__document=late).exists()
    row.refresh_from_db()
    reembedding.roll_back(row, who="olga")
    assert (row.state, encoders.live_embedder()) == ("back", blue)
    assert [each for each in found(20) if each in before] == before
    # What came while the other was live has no vector of this one yet, and gets it.
    assert list(Document.objects.unembedded(blue)) == [late]
    embedded()
    assert is_best(found(), expected(folders[0]))
    # Forward again: its vectors were kept, and only what lacks is made.
    again = reembedding.start(green)
    assert reembedding.progress(again).lacking == 0
    assert embedding_beside.make_pending() == 0
    assert encoders.live_embedder() == green
    assert is_best(found(), expected(folders[1]))
    again.refresh_from_db()
    reembedding.tidy(again)
    assert not ChunkVector.objects.exists()
    with pytest.raises(CannotReembed, match="only what is live"):
        reembedding.roll_back(again, who="olga")


def test_it_pauses_resumes_and_is_given_up(blue, green, monkeypatch) -> None:
    monkeypatch.setattr(embedding_beside, "CHUNKS_PER_COMMIT", 2)
    row = reembedding.start(green, automatic=False)
    with pytest.raises(CannotReembed, match="is under way"):
        reembedding.start(green)
    embedding_beside.make_pending(seconds=0)
    reembedding.pause(row)
    assert embedding_beside.make_pending() == 0
    with pytest.raises(CannotReembed, match="3 documents lack"):
        reembedding.switch(row, who="olga")
    reembedding.resume(row)
    made()
    row.refresh_from_db()
    assert (row.state, encoders.live_embedder()) == ("complete", blue)
    # What arrives while a person decides gets both vectors.
    document(["share 40"], file_name="meanwhile.txt")
    embedded()
    with pytest.raises(CannotReembed, match="1 documents lack"):
        reembedding.switch(row, who="olga")
    assert embedding_beside.make_pending() == 1
    reembedding.cancel(row)
    assert (OtherChunkVector.objects.count(), EmbeddedBeside.objects.count()) == (0, 0)
    assert encoders.live_embedder() == blue
    with pytest.raises(CannotReembed, match="too late"):
        reembedding.resume(row)


def test_a_document_that_is_cut_anew_is_made_anew(blue, green) -> None:
    reembedding.start(green, automatic=False)
    made()
    first = Document.objects.get(file_name="0.txt")
    make_searchable(first)
    row = reembedding.under_way()
    assert row is not None
    assert reembedding.progress(row).lacking == 1
    assert embedding_beside.make_pending() == first.chunks.count()
    assert reembedding.progress(row).lacking == 0


def test_what_it_cannot_read_is_served_as_before_and_said(blue, green, monkeypatch) -> None:
    embed = encoders.embed_here

    def too_long(texts: list[str], source: str, **options: Any) -> np.ndarray:
        if any("share 2" in text for text in texts):
            raise encoders.TextTooLong(0, 900)
        return embed(texts, source, **options)

    row = reembedding.start(green)
    with monkeypatch.context() as patch:
        patch.setattr(encoders, "embed_here", too_long)
        made()
    row.refresh_from_db()
    assert (row.state, row.note) == ("complete", "1 documents cannot be read by it.")
    assert encoders.live_embedder() == blue
    assert not Document.objects.quarantined().exists()
    reembedding.switch(row, who="olga")
    assert encoders.live_embedder() == green
    unread = Document.objects.unembedded(green).get()
    assert unread.file_name == "2.txt"
    embedded()
    assert not Document.objects.unembedded(green).exists()


def test_the_setting_is_heeded_when_it_names_yet_another(workshop, blue, green, settings) -> None:
    reembedding.start(green)
    made()
    assert encoders.live_embedder() == green
    settings.EMBEDDING_MODEL = str(workshop / "red")
    red = encoders.live_embedder()
    assert red not in {blue, green}
    embedded()
    assert is_best(found(), expected(workshop / "red"))


def test_an_embedder_without_vectors_cannot_go_live(blue, green) -> None:
    with pytest.raises(registry.CannotFlip, match="start a re-embedding"):
        registry.make_live(green, who="olga")
    with pytest.raises(CannotReembed, match="live already"):
        reembedding.start(blue)
    with pytest.raises(CannotReembed, match="neither a known model"):
        reembedding.candidate("no such model")
    registry.reject(green, who="olga")
    with pytest.raises(CannotReembed, match="rejected"):
        reembedding.start(green)


def test_where_no_encoder_answers_it_waits_and_says_why(blue, green, monkeypatch) -> None:
    row = reembedding.start(green)

    def absent(*_: Any, **__: Any) -> None:
        raise encoders.EncoderUnavailable("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(encoders, "embed_here", absent)
        assert embedding_beside.make_pending() == 0
    row.refresh_from_db()
    assert (row.state, row.note) == ("making", "It waits: out of memory")
    made()
    row.refresh_from_db()
    assert (row.state, row.note) == ("live", "")


def test_the_page_steers_it(olga, client, folders, blue, green) -> None:
    client.force_login(olga)
    place = "/admin/ingestion/reembedding/"
    page = client.get(place).content.decode()
    assert f'value="{green.pk}"' in page
    client.post(f"{place}start/", {"embedder": str(green.pk), "when": "asked"})
    row = Reembedding.objects.get()
    assert (row.started_by, row.automatic) == ("olga", False)
    assert "0 of 3" in client.get(place).content.decode()
    made()
    client.post(f"{place}steer/{row.pk}/back/")
    assert encoders.live_embedder() == blue
    client.post(f"{place}steer/{row.pk}/switch/")
    assert encoders.live_embedder() == green
    assert "Roll back" in client.get(place).content.decode()
    for address, given in ((f"steer/{row.pk}/explode/", {}), ("start/", {"embedder": "/etc"})):
        said = client.post(f"{place}{address}", given, follow=True).content.decode()
        assert "Nothing has changed" in said
    said = client.post(f"{place}steer/987654321/pause/", follow=True).content.decode()
    assert "there is no such step" in said


def test_a_search_keeps_to_the_embedder_that_it_began_with(folders, blue, green, adam, monkeypatch):
    row = reembedding.start(green, automatic=False)
    made()
    before = expected(folders[0])
    ranked = ChunkQuerySet.lexical

    def meanwhile(*given: Any, **named: Any) -> Any:
        """Another process switches after the search has begun, before its question is a vector."""
        Context().run(reembedding.switch, row, who="olga")
        return ranked(*given, **named)

    monkeypatch.setattr(retrieval, "embed_in_background", lambda texts: Later(list(texts)))
    with monkeypatch.context() as switching:
        switching.setattr(ChunkQuerySet, "lexical", meanwhile)
        results = retrieval.search(QUESTION, adam)
    assert encoders.live_embedder() == green
    assert is_best([(hit.chunk_id, hit.score) for hit in results.dense], before)
    assert results.notes == []
    again = retrieval.search(QUESTION, adam)
    assert is_best([(hit.chunk_id, hit.score) for hit in again.dense], expected(folders[1]))


class Later:
    """A vector that is made only when it is asked for, in the same turn as its thread would."""

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts

    def result(self) -> np.ndarray:
        return encoders.embed(self.texts, kind="query")
