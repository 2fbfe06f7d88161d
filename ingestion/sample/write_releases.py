"""Writes earnings press releases: headline, highlights, guidance and condensed statements."""

from __future__ import annotations

from ingestion.sample.blocks import Block, Bullets, Doc, Heading, Para
from ingestion.sample.companies import Company, long_date, spoken_period
from ingestion.sample.figures import fill
from ingestion.sample.model import model_of
from ingestion.sample.pools import pick, pool
from ingestion.sample.statements import balance_table, income_table, segment_table
from ingestion.sample.write_filings import officer


class ReleaseWriter:
    """Builds the fourth-quarter release of a company; ``quote`` is hand-written per company."""

    def __init__(self, company: Company, year: str, original: bool = False) -> None:
        self.company, self.year, self.original = company, year, original
        self.period = f"{year}Q4"

    def text(self, options: list[str], period: str) -> str:
        """One of the wordings with figures filled in."""
        if model_of(self.company.key, self.original).of(period).net < 0:
            # Only the first wording of each kind does not speak of money earned.
            options = options[:1]
        text = pick(options, self.company.key, period, options[0])
        for name, value in (
            ("{short}", self.company.short),
            ("{period}", spoken_period(self.period)),
        ):
            text = text.replace(name, value)
        return fill(text, self.company.key, period, self.original)

    def outlook(self) -> list[Block]:
        """Guidance as given in the company's ``guide`` table."""
        guide = self.company.raw["guide"][self.period]
        names = {"rev": "Net sales", "eps": "Diluted earnings per share", "gm": "Gross margin"}
        items = tuple(f"{names[k]}: {guide[k]}" for k in ("rev", "gm", "eps") if k in guide)
        return [Heading("Outlook", 2), Bullets(items)]

    def doc(self) -> Doc:
        """The finished release with its file name."""
        company, day = self.company, self.company.call_day(self.period)
        title = self.text(pool("sentences")["headlines"], self.period)
        city = company.raw["hq"].split(", ")[1]
        ceo = officer(company, "ceo", self.period)
        lead = self.text(pool("sentences")["openers"], self.period)
        lead = (
            f"{city.upper()}, {long_date(day)} - {company.name} ({company.ticker}) today "
            f"announced results for the {spoken_period(self.period)}. {lead}"
        )
        quote = company.raw["quotes"][self.year]
        blocks: list[Block] = [
            Heading(title),
            Para(lead),
            Para(self.text(pool("sentences")["years"], f"{self.year}FY")),
            Para(f'"{quote}" said {ceo}, chief executive officer.'),
            *self.outlook(),
            segment_table(company, self.period, self.original),
            income_table(company, self.period, self.original),
            balance_table(company, f"{self.year}FY", self.original),
            Para(
                f"About {company.short}: " + company.text("business", "about"),
            ),
            Para(
                "This release contains forward-looking statements, which are subject to the risks "
                "described in the company's reports.",
                "small",
            ),
        ]
        short = company.short.replace(" & ", "").replace(" ", "")
        suffix = pick(["pdf", "html", "docx"], "release", company.key, self.year)
        return Doc(
            file=f"announcements/{day.isoformat()}_{short}_Q4_FY{self.year}_results.{suffix}",
            kind="announcement",
            title=title,
            company=company.name,
            period=self.period,
            day=day,
            blocks=tuple(blocks),
            running=f"{company.name}  |  Results for fiscal {self.year}",
            look="announcement",
        )
