"""Folders are looked through in turns: a huge one keeps nobody else waiting."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone
from django_q.models import OrmQ

from ingestion import fetching
from ingestion.loading import are_scanned
from ingestion.models import Document, Source

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def stored(tmp_path: Path, settings: LazySettings) -> None:
    settings.MEDIA_ROOT = tmp_path / "stored"


def folder(tmp_path: Path, name: str, files: int) -> Source:
    place = tmp_path / name
    place.mkdir()
    for number in range(files):
        (place / f"{number:03d}.txt").write_text(f"{name} note {number}")
    return Source.objects.create(name=name, kind=Source.Kind.FOLDER, location=str(place))


def test_a_huge_folder_keeps_a_small_one_waiting_for_a_turn_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "TURN_SECONDS", -1.0)
    huge, small = folder(tmp_path, "huge", 40), folder(tmp_path, "small", 3)
    fetching.scan_folders()
    order = list(Document.objects.order_by("pk").values_list("source__name", flat=True))
    assert sorted(order) == ["huge"] * 40 + ["small"] * 3
    assert order[:6] == ["huge", "small"] * 3
    assert are_scanned([huge, small])


@pytest.mark.django_db(transaction=True)
def test_what_a_slice_left_follows_in_a_task_of_its_own(tmp_path: Path) -> None:
    huge = folder(tmp_path, "huge", 3)
    taken = [len(fetching.scan_folders(seconds=-1.0)) for _ in range(2)]
    # Time that is up before it begins takes nothing, loses nothing and holds nothing.
    assert taken == [0, 0]
    assert not are_scanned([huge])
    huge.refresh_from_db()
    assert (huge.claim, huge.last_success_at, huge.offered) == (None, None, None)
    assert "ingestion.tasks.scan_folders" in [row.func() for row in OrmQ.objects.all()]
    assert len(fetching.scan_folders()) == 3
    assert are_scanned([huge])


def test_a_look_that_was_cut_short_withdraws_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = folder(tmp_path, "notes", 6)
    fetching.scan_folder(source)
    look = fetching._Look(source)
    _, done = look.turn(-1.0)
    assert not done
    del look
    assert not source.documents.filter(missing_scans__gt=0).exists()


def test_a_folder_that_somebody_looks_through_is_left_alone(tmp_path: Path) -> None:
    source = folder(tmp_path, "notes", 2)
    assert fetching._claim_due() == [source]
    assert fetching._claim_due() == []
    assert fetching.scan_folders() == []
    # A killed worker's lease ends.
    Source.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert len(fetching.scan_folders()) == 2


def test_a_folder_is_not_looked_through_twice_at_once_but_anew_when_it_is_opened(
    tmp_path: Path,
) -> None:
    source = folder(tmp_path, "notes", 1)
    fetching.scan_folders()
    (tmp_path / "notes" / "new.txt").write_text("new")
    assert fetching.scan_folders() == []
    assert fetching.open_folder(Path(source.location)) == [source]
    assert len(fetching.scan_folders()) == 1


def test_a_folder_that_breaks_its_reader_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = folder(tmp_path, "bad", 1), folder(tmp_path, "good", 1)
    known = fetching._known

    def broken(source: Source) -> object:
        if source == bad:
            raise ZeroDivisionError
        return known(source)

    monkeypatch.setattr(fetching, "_known", broken)
    fetching.scan_folders()
    bad.refresh_from_db()
    assert bad.last_error == "It could not be looked through (ZeroDivisionError)."
    assert good.documents.count() == 1
