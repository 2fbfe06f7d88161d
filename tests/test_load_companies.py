"""A file of companies is loaded whole or not at all, and every refusal says where and why."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from ingestion import catalogue
from ingestion.companies import company_named
from ingestion.models import Company, CompanyAlias

pytestmark = pytest.mark.django_db

LEI = "5493000IBP32UQZ0KL24"


def load(folder: Path, content: str | bytes) -> None:
    file = folder / "companies.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    call_command("load_companies", csv=file)


def test_all_columns_and_a_byte_order_mark(tmp_path: Path) -> None:
    text = f"\ufeffname,ticker,cik,lei,aliases\nHalden Inns plc,HLD,320193,{LEI},Halden; The Inns\n"
    load(tmp_path, text)
    row = Company.objects.get()
    assert (row.name, row.ticker, row.cik, row.lei) == ("Halden Inns plc", "HLD", "320193", LEI)
    assert set(CompanyAlias.objects.values_list("name", flat=True)) == {"Halden", "The Inns"}


def test_rows_of_one_company_complete_each_other(tmp_path: Path) -> None:
    text = "name,ticker,cik,aliases\nHalden Inns,HLD,,A Inn\nHALDEN INNS PLC,,320193,B Inn;A Inn\n"
    load(tmp_path, text)
    row = Company.objects.get()
    assert (row.name, row.ticker, row.cik) == ("Halden Inns", "HLD", "320193")
    assert CompanyAlias.objects.count() == 2


def test_again_changes_nothing(tmp_path: Path) -> None:
    text = "name,ticker,aliases\nHalden Inns,HLD,The Inns\n"
    load(tmp_path, text)
    before = list(Company.objects.values()) + list(CompanyAlias.objects.values())
    load(tmp_path, text)
    assert list(Company.objects.values()) + list(CompanyAlias.objects.values()) == before


GOOD = "name,ticker,cik,lei\nFirst Inns,FST,1,\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("ticker,cik\nHLD,1\n", "name is needed; found ticker, cik"),
        ("name,symbol\nHalden,HLD\n", "found name, symbol"),
        ("name,name\nHalden,HLD\n", "each once"),
        ("", "found none"),
        ("name\n", "holds no company"),
        (GOOD + "Halden,Inns,2,,\n", "line 3: more cells than columns"),
        (GOOD + ",HLD,2,\n", "line 3: a company without a name"),
        (GOOD + "???,HLD,2,\n", "line 3: a company without a name"),
        (GOOD + "first inns inc,OTH,1,\n", "line 3: first inns inc has ticker OTH, but FST"),
        (GOOD + "Halden,FST,2,\n", "line 3: ticker FST is that of First Inns"),
        (GOOD + "Halden,HLD,1,\n", "line 3: cik 1 is that of First Inns"),
        (GOOD + "Halden,HLD,12x,\n", "line 3: '12x' is no CIK"),
        (GOOD + "Halden,HLD,2,short\n", "line 3: 'short' is no LEI"),
        (GOOD + f"{'H' * 201},HLD,2,\n", "line 3: name is longer than 200"),
        (GOOD + f"Halden,{'H' * 17},2,\n", "line 3: ticker is longer than 16"),
        (GOOD + '"Halden,HLD,2,\n', "unexpected end of data"),
        (GOOD + f"{'H' * 140_000},HLD,2,\n", "field larger than field limit"),
        (GOOD + "Hal\0den,HLD,2,\n", "NUL"),
        ("name\nSociété Générale\n".encode("latin-1"), "not UTF-8 text"),
        ("name\nHalden\n".encode("utf-16"), "not UTF-8 text"),
        (b"PK\x03\x04\xff\xfe\x00", "not UTF-8 text"),
    ],
)
def test_a_bad_file_is_refused_whole(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(CommandError, match=r"companies\.csv") as refused:
        load(tmp_path, content)
    assert message in str(refused.value)
    assert not Company.objects.exists()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("Halden Inns,OTH,", "Halden Inns has ticker OTH, but HLD already"),
        ("Other Inns,HLD,", "ticker HLD of Other Inns is that of Halden Inns"),
    ],
)
def test_what_contradicts_the_table(tmp_path: Path, row: str, message: str) -> None:
    company_named("Halden Inns", "HLD")
    with pytest.raises(CommandError, match=message):
        load(tmp_path, f"name,ticker,cik\nNew Inns,NEW,\n{row}\n")
    assert Company.objects.count() == 1


def test_a_folder_and_a_missing_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(CommandError, match=path.name):
            call_command("load_companies", csv=path)


def test_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "MOST_COMPANIES", 3)
    rows = "".join(f"Inn number {n} of all,\n" for n in range(5))
    with pytest.raises(CommandError, match="line 5: more than 3 companies"):
        load(tmp_path, "name,ticker\n" + rows)
    assert not Company.objects.exists()


def test_twenty_thousand(tmp_path: Path) -> None:
    load(tmp_path, "name,cik\n" + "".join(f"Inn w{n}x,{n + 1}\n" for n in range(20_000)))
    assert Company.objects.count() == 20_000
