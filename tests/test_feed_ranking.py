"""New documents are ranked for every analyst, changed interests at once; muting beats following."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from docintel import artefacts, registry
from feed import health, live_ranker, ranking
from feed.facts import floats
from feed.following import follow, profile_of
from feed.ml import formula, freshness
from feed.ml.features import NAMES
from feed.models import Engagement, FeedItem, RankedDocument, SourceRate
from ingestion.models import Document
from tests.feed_corpus import company, known, source

pytestmark = pytest.mark.django_db


def values(item: FeedItem) -> dict[str, float | None]:
    return dict(zip(NAMES, item.features, strict=True))


def titles(user) -> list[str]:
    rows = FeedItem.objects.filter(user=user, hidden_by="").order_by("-order")
    return list(rows.values_list("document__title", flat=True))


def test_every_ready_document_is_ranked_once_for_every_analyst(alice, bob) -> None:
    for user in (alice, bob):
        profile_of(user)
    first, second = known("Acme grew"), known("Orion fell")
    waiting = known("Not yet classified")
    Document.objects.filter(pk=waiting.pk).update(classifier=None)
    old = known("Old", days=40)
    assert ranking.rank_pending() == 2
    assert ranking.rank_pending() == 0
    assert FeedItem.objects.count() == 4
    assert set(RankedDocument.objects.values_list("pk", flat=True)) == {first.pk, second.pk}
    assert not FeedItem.objects.filter(document__in=[waiting, old]).exists()
    Document.objects.filter(pk=waiting.pk).update(classifier=first.classifier)
    assert ranking.rank_pending() == 1


def test_a_document_read_anew_is_ranked_anew_and_stays_as_old_as_it_is(alice) -> None:
    orion = company("Orion")
    follow(alice, "company", str(orion.pk))
    news = known("It fell", days=1)
    ranking.rank_pending()
    before = RankedDocument.objects.get()
    assert values(FeedItem.objects.get(user=alice))["followed_any"] == 0
    mention = news.mentions.create(
        start=0, end=2, kind="company", name="It", company=orion, recogniser=news.recogniser
    )
    Document.objects.filter(pk=news.pk).update(recognised_at=timezone.now())
    assert ranking.rank_pending() == 1
    assert ranking.rank_pending() == 0
    after = RankedDocument.objects.get()
    assert after.facts["companies"] == [mention.company_id]
    assert (after.fresh_at, after.ranked_at) == (before.fresh_at, before.ranked_at)
    assert values(FeedItem.objects.get(user=alice))["followed_any"] == 1


def test_another_day_of_publication_counts_for_all_its_rows(alice) -> None:
    profile_of(alice)
    news = known("It fell")
    ranking.rank_pending()
    now = timezone.now()
    day = (now - timedelta(days=5)).date()
    Document.objects.filter(pk=news.pk).update(published_on=day, recognised_at=now)
    ranking.rank_pending()
    expected = freshness.fresh_at(day, news.received_at)
    assert RankedDocument.objects.get().fresh_at == expected
    assert FeedItem.objects.get(user=alice).fresh_at == expected


def test_what_is_followed_comes_first_and_what_is_muted_is_hidden(alice) -> None:
    acme, orion, wire = company("Acme"), company("Orion"), source("Other wire")
    known("Orion fell", of=orion)
    known("Acme grew", of=acme, days=1)
    known("Rates and prices", names=(orion, acme), days=2)
    known("Mergers", topics={"mergers": 0.9}, wire=wire, days=3)
    ranking.rescore(alice)
    ranking.rank_pending()
    assert titles(alice)[0] == "Orion fell"
    follow(alice, "company", str(acme.pk))
    ranking.rescore(alice)
    assert titles(alice)[0] == "Acme grew"
    follow(alice, "company", str(orion.pk), muted=True)
    follow(alice, "topic", "mergers")
    follow(alice, "source", str(wire.pk), muted=True)
    ranking.rescore(alice)
    assert titles(alice) == ["Acme grew", "Rates and prices"]
    hidden = FeedItem.objects.exclude(hidden_by="").values_list("hidden_by", flat=True)
    assert set(hidden) == {f"company:{orion.pk}", f"source:{wire.pk}"}


def test_a_change_is_due_until_it_is_ranked_for(alice) -> None:
    known("Acme grew")
    profile_of(alice)
    ranking.rank_pending()
    assert ranking.rescore_pending() == 1
    assert ranking.rescore_pending() == 0
    follow(alice, "topic", "mergers")
    assert ranking.rescore_pending() == 1


def test_reading_teaches_what_somebody_likes(alice) -> None:
    acme = company("Acme")
    read = known("Acme one", of=acme, names=(acme,), about=5, topics={"mergers": 0.8})
    close = known("Acme two", of=acme, names=(acme,), about=5, topics={"mergers": 0.7}, days=2)
    far = known("Weather", about=7, kind="other")
    profile_of(alice)
    ranking.rank_pending()
    now = timezone.now()
    Engagement.objects.create(
        user=alice, document=read, opens=1, active_ms=90_000, opened_at=now, shown=1, shown_at=now
    )
    ranking.rescore(alice)
    items = {item.document_id: item for item in FeedItem.objects.filter(user=alice)}
    said = values(items[close.pk])
    assert said["profile_cosine"] == pytest.approx(1.0, abs=1e-3)
    assert said["read_company"] == pytest.approx(1.0)
    assert said["topic_match"] == pytest.approx(0.56, abs=0.01)
    assert values(items[far.pk])["profile_cosine"] == pytest.approx(0.0, abs=1e-3)
    assert values(items[read.pk])["seen_similar"] == 1.0
    assert items[close.pk].order > items[far.pk].order


def test_without_reading_the_vector_is_that_of_what_is_followed(alice) -> None:
    acme = company("Acme")
    known("Acme grew", of=acme, about=3)
    known("Weather", about=7)
    profile_of(alice)
    ranking.rank_pending()
    follow(alice, "company", str(acme.pk))
    ranking.rescore(alice)
    assert int(np.argmax(floats(profile_of(alice).vector))) == 3


def test_age_costs_the_same_whenever_it_is_looked_at() -> None:
    now = timezone.now()
    older = now - timedelta(days=4)
    gap = freshness.order(1.0, now, 4.0) - freshness.order(1.0, older, 4.0)
    assert gap == pytest.approx(np.log(2))
    assert freshness.fresh_at(None, now) == now
    assert freshness.fresh_at(now.date() - timedelta(days=2_000), now) == now - freshness.OLDEST
    assert freshness.fresh_at(now.date() + timedelta(days=20), now) == now


def trained(folder, names=NAMES) -> None:
    import lightgbm

    chance = np.random.default_rng(1)
    table = chance.random((400, len(names)))
    data = lightgbm.Dataset(table, table[:, 0] > 0.5, feature_name=list(names))
    settings = {"objective": "binary", "verbosity": -1, "num_leaves": 4}
    model = lightgbm.train(settings, data, 5)
    (folder / live_ranker.FILE).write_text(model.model_to_string())


def test_a_live_model_ranks_and_a_damaged_or_foreign_one_does_not(
    alice, settings, tmp_path
) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    acme = company("Acme")
    known("Acme grew", of=acme)
    profile_of(alice)
    (tmp_path / "new").mkdir()
    trained(tmp_path / "new")
    version = artefacts.keep(tmp_path / "new", "feed", metadata={"half_life_days": 2.0})
    registry.make_live(version)
    follow(alice, "company", str(acme.pk))
    ranking.rank_pending()
    item = FeedItem.objects.get()
    assert item.version == version
    found, *_ = health.findings()
    assert found.ok
    (tmp_path / "foreign").mkdir()
    trained(tmp_path / "foreign", names=NAMES[:-1])
    registry.make_live(artefacts.keep(tmp_path / "foreign", "feed"))
    ranking.rescore(alice)
    item.refresh_from_db()
    assert item.version is None
    rows = np.array([item.features], dtype=float)
    assert item.score == pytest.approx(float(formula.score(rows)[0]), abs=1e-3)
    found, *_ = health.findings()
    assert not found.ok
    assert "other features" in found.message
    place = tmp_path / "media" / "models" / "feed" / "1" / live_ranker.FILE
    place.write_text("spoilt")
    registry.retire(registry.live("feed"))
    with pytest.raises(live_ranker.CannotUse):
        live_ranker.use(version)


def test_a_deleted_document_leaves_no_row(alice) -> None:
    document = known("Acme grew")
    profile_of(alice)
    ranking.rank_pending()
    document.delete()
    assert not FeedItem.objects.exists()


def test_who_follows_five_thousand_companies_is_ranked(alice) -> None:
    from feed.following import follow_all
    from ingestion.models import Company

    rows = [Company(name=f"Company {n}", key=f"company {n}") for n in range(4_999)]
    ids = [row.pk for row in Company.objects.bulk_create(rows)]
    acme = company("Acme")
    known("Acme grew", of=acme)
    known("Weather")
    assert follow_all(alice, [*ids, acme.pk], []) == 5_000
    ranking.rank_pending()
    assert titles(alice)[0] == "Acme grew"


def test_a_rate_by_hand_takes_the_place_of_the_learned_one(client, adam, alice) -> None:
    wire = source("Wire")
    known("Acme grew", wire=wire)
    profile_of(alice)
    ranking.rank_pending()
    at = NAMES.index("source_rate")
    assert FeedItem.objects.get().features[at] == pytest.approx(0.1)
    client.force_login(adam)
    place = f"/admin/feed/ratedsource/{wire.pk}/change/"
    assert "0.100 (0 opened of 0 shown)" in client.get(place).content.decode()
    form = {
        "credibility": "0.5", "rate_by_hand-TOTAL_FORMS": "1", "rate_by_hand-INITIAL_FORMS": "0",
        "rate_by_hand-0-source": wire.pk, "rate_by_hand-0-rate": "0.8",
        "rate_by_hand-0-why": "the regulator's own wire",
    }  # fmt: skip
    assert client.post(place, form).status_code == 302
    assert ranking.rescore_pending() == 1
    assert FeedItem.objects.get().features[at] == pytest.approx(0.8)
    assert SourceRate.objects.get().set_by == adam
    assert "0.80" in client.get("/admin/feed/ratedsource/").content.decode()
