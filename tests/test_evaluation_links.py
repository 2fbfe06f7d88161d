"""The evaluation of links counts right, and the promised precision holds on calls and filings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from docintel.scoring import CannotScore
from ingestion import catalogue, linking
from ingestion.companies import company_named
from training.evaluation import links

pytestmark = pytest.mark.django_db

GOLD = Path(__file__).parent / "gold" / "company_links.json"
CALL = (
    "Marriott International had a good quarter. Marriott met Hilton Worldwide and Halden Inns Inc."
)


@pytest.fixture(autouse=True)
def fresh() -> None:
    linking._latest.clear()


def calls(folder: Path, n: int = 1) -> Path:
    for quarter in range(n):
        (folder / f"MAR_q{quarter}_2020.txt").write_text(CALL)
    (folder / "gold.json").write_text(
        json.dumps({"own": {"MAR": ["Marriott International", "Marriott"]}, "others": {}})
    )
    return folder


def test_a_small_set_is_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    company_named("Marriott International", "MAR")
    company_named("Hilton Worldwide", "HLT")
    folder = calls(tmp_path)
    score = links.run(folder, folder / "gold.json", show=True)
    detail = score.detail
    # Hilton is linked, but the gold does not name it; Halden Inns is unknown and unlinked.
    assert (detail["linked"], detail["right"], detail["own"], detail["written"]) == (3, 2, 2, 2)
    assert score.value == pytest.approx(2 / 3)
    assert "Hilton Worldwide -> Hilton Worldwide: 1" in capsys.readouterr().out


def test_so_many_of_each_company(tmp_path: Path) -> None:
    company_named("Marriott International", "MAR")
    folder = calls(tmp_path, 5)
    assert links.run(folder, folder / "gold.json").detail["documents"] == links.DOCUMENTS
    assert links.run(folder, folder / "gold.json", documents=0).detail["documents"] == 5


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    folder = calls(tmp_path)
    with pytest.raises(CannotScore, match="load_companies"):
        links.run(folder, folder / "gold.json")
    company_named("Marriott International", "MAR")
    with pytest.raises(CannotScore, match="cannot read"):
        links.run(folder, folder / "none.json")
    with pytest.raises(CannotScore, match="no documents"):
        links.run(folder / "nowhere", folder / "gold.json")


@pytest.mark.parametrize(("name", "n"), [("ectsum", 40), ("financebench", 14)])
def test_links_in_real_documents_are_right(data: Path, name: str, n: int) -> None:
    catalogue.load_default_once()
    score = links.run(data / name, GOLD, documents=1, characters=12_000)
    assert score.detail["companies"] == n
    assert score.n >= 100
    assert score.value >= 0.95
