"""Writes annual and quarterly reports: cover, Items, statements that add up, notes."""

from __future__ import annotations

from datetime import date, timedelta

from ingestion.sample.blocks import Block, Bullets, Doc, Heading, PageBreak, Para, Row, Table
from ingestion.sample.companies import Company, long_date
from ingestion.sample.figures import before, figures, fill
from ingestion.sample.notes import equity_item, notes
from ingestion.sample.pools import pick, pool, version
from ingestion.sample.statements import (
    balance_table,
    cash_table,
    income_table,
    period_words,
    quarters_table,
    segment_table,
)


def paragraphs(text: str) -> list[str]:
    """Blank-line separated paragraphs, each on one line."""
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


def officer(company: Company, role: str, period: str) -> str:
    """Who held ``role`` (ceo, cfo, ir) when the period was reported."""
    people, holder = company.raw["people"], company.raw["people"][role]
    for since in sorted(k for k in people if isinstance(people[k], dict)):
        if since <= period.replace("FY", "Q4") and role in people[since]:
            holder = people[since][role]
    return str(holder)


class FilingWriter:
    """Builds one periodic report; ``original`` uses figures as first reported."""

    def __init__(self, company: Company, period: str, original: bool = False) -> None:
        self.company, self.period, self.original = company, period, original
        self.amended = False
        self.annual = period.endswith("FY")
        self.form = "10-K" if self.annual else "10-Q"

    def prose(self, *path: str) -> list[Block]:
        """Paragraphs of the company's TOML with their figures filled in."""
        text = self.company.text(*path)
        if self.period[:4] == "2023":
            for old, new in self.company.raw.get("edits2023", []):
                text = text.replace(old, new)
        return [
            Para(fill(p, self.company.key, self.period, self.original)) for p in paragraphs(text)
        ]

    def standing(self, path: str) -> Para:
        """A standing paragraph in this company's version."""
        return Para(version("filings", path, self.company.key))

    def cover(self, amendment: str = "") -> list[Block]:
        """The cover page of the form."""
        c, raw = self.company, self.company.raw
        word = "ANNUAL REPORT" if self.annual else "QUARTERLY REPORT"
        section = "Pursuant to Section 13 or 15(d) of the Securities Exchange Act of 1934"
        form = f"FORM {self.form}" + ("/A" if amendment else "")
        blocks: list[Block] = [Para("", "gap")] if self.suffix(amendment) == "pdf" else []
        blocks += [Para(form, "cover-form")]
        if amendment:
            blocks.append(Para("(Amendment No. 1)", "cover"))
        blocks += [
            Para(word, "cover-form"),
            Para(section, "cover"),
            Para(period_words(c, self.period), "cover"),
            Para(f"Commission File Number 001-{raw['cik'][-5:]}", "cover"),
            Para(c.name, "cover-name"),
            Para("(Exact name of registrant as specified in its charter)", "cover"),
            Para(f"State of incorporation: {raw['state']}", "cover"),
            Para(raw["hq"], "cover"),
            Para("(Address of principal executive offices)", "cover"),
            Table(
                "Securities registered pursuant to Section 12(b) of the Act",
                ("Title of each class", "Trading symbol", "Exchange"),
                (Row("Common Stock, par value $0.01", (c.ticker, raw["exchange"])),),
            ),
            Para(
                "Indicate by check mark whether the registrant (1) has filed all reports required "
                "to be filed by Section 13 or 15(d) during the preceding 12 months and (2) has been "
                "subject to such filing requirements for the past 90 days: Yes [X] No [ ]. "
                "Large accelerated filer [X]. Shell company: Yes [ ] No [X].",
            ),
            Para(
                f"Shares of common stock outstanding: {raw['model']['shares']:.1f} million. "
                f"Filed {long_date(self.day(amendment))}.",
            ),
            Para("A fictional company, written for the demonstration of software.", "small"),
        ]
        return blocks

    def suffix(self, amendment: str = "") -> str:
        """The format in which this company files the form."""
        kind = "annual" if self.annual else "quarterly"
        return "pdf" if amendment else str(self.company.raw["formats"][kind])

    def day(self, amendment: str = "") -> date:
        """The filing date, or that of the amendment."""
        return date.fromisoformat(amendment) if amendment else self.company.filing_day(self.period)

    def business(self) -> list[Block]:
        """Item 1 and the segments."""
        blocks: list[Block] = [Heading("Item 1. Business"), Heading("Overview", 2)]
        blocks += self.prose("business", "overview")
        blocks += [segment_table(self.company, self.period, self.original)]
        for title, name in (
            ("Manufacturing, Materials and Supply", "supply"),
            ("Competition", "competition"),
            ("Human Capital", "people"),
        ):
            blocks += [Heading(title, 2), *self.prose("business", name)]
        return blocks

    def risks(self) -> list[Block]:
        """Item 1A: the company's own risks first, then the common ones."""
        blocks: list[Block] = [
            Heading("Item 1A. Risk Factors"),
            Para(version("filings", "forward", self.company.key)),
            Heading("Risks relating to our business", 2),
        ]
        # An amendment is written with the knowledge of the following year.
        year = int(self.period[:4]) + self.amended
        for risk in self.company.raw["risks"]:
            if year in risk.get("years", [2023, 2024]):
                blocks += [Para(" ".join(risk["text"].split()), "body", risk["title"])]
        blocks.append(Heading("Risks relating to economic conditions, law and finance", 2))
        common = pool("filings")["risks"]
        for topic in sorted(common, key=lambda t: pick(["0", "1", "2"], t, self.company.key) + t):
            title = pick(common[topic]["title"], f"risks.{topic}", self.company.key)
            blocks.append(
                Para(version("filings", f"risks.{topic}", self.company.key), "body", title)
            )
        return blocks

    def discussion(self) -> list[Block]:
        """Management's discussion: results with tables, liquidity, outlook."""
        item = "Item 7." if self.annual else "Item 2."
        what = "Management's Discussion and Analysis of Financial Condition and Results"
        blocks: list[Block] = [Heading(f"{item} {what} of Operations")]
        blocks.append(
            self.line(pick(pool("sentences")["openings"], "opening", self.company.key, self.period))
        )
        if self.annual:
            blocks += [Heading("Executive overview", 2)]
            blocks += self.prose("review", self.period)
        blocks += [Heading("Net sales", 2), *self.prose("f", self.period, "sales")]
        blocks += [segment_table(self.company, self.period, self.original)]
        blocks += [Heading("Gross margin", 2), *self.prose("f", self.period, "margin")]
        blocks += [Heading("Operating expenses", 2), *self.prose("f", self.period, "opex")]
        blocks.append(
            self.line(
                pick(pool("sentences")["expenses"], "expenses", self.company.key, self.period)
            )
        )
        blocks.append(
            self.line(
                pick(pool("sentences")["earnings"], "earnings", self.company.key, self.period)
            )
        )
        if self.annual:
            blocks.append(quarters_table(self.company, self.period[:4], self.original))
        blocks += [Heading("Liquidity and capital resources", 2)]
        blocks += self.prose("f", self.period, "liquidity")
        to_date = self.period.replace("Q", "Y")
        blocks.append(
            self.line(
                pick(pool("sentences")["flows"], "flows", self.company.key, self.period), to_date
            )
        )
        blocks += self.prose("funding") or [self.standing("liquidity")]
        if self.annual:
            blocks += [Heading("Outlook", 2), *self.prose("f", self.period, "outlook")]
        return blocks

    def line(self, text: str, period: str = "") -> Para:
        """A sentence with figures of this or another period."""
        return Para(fill(text, self.company.key, period or self.period, self.original))

    def statements(self) -> list[Block]:
        """The three statements."""
        made: list[Table] = [
            income_table(self.company, self.period, self.original),
            balance_table(self.company, self.period, self.original),
            cash_table(self.company, self.period, self.original),
        ]
        return [*made]

    def annual_blocks(self, amendment: str = "", note: list[Block] | None = None) -> list[Block]:
        """A whole annual report; ``note`` is the explanatory note of an amendment."""
        auditor = self.company.raw["auditor"]
        end = figures(self.company.key, self.period)["end"]
        opinion = (
            f"In our opinion the consolidated financial statements present fairly, in all material "
            f"respects, the financial position of {self.company.name} at {end}, and the results of "
            f"its operations and its cash flows for the year then ended. {auditor}"
        )
        item7a = Heading("Item 7A. Quantitative and Qualitative Disclosures About Market Risk")
        return [
            *self.cover(amendment), PageBreak(), *(note or []), Heading("Table of Contents", 2),
            Bullets(CONTENTS), *self.business(), *self.risks(),
            Heading("Item 2. Properties"), *self.prose("properties"),
            Heading("Item 3. Legal Proceedings"), self.standing("proceedings"),
            *equity_item(self.company, self.period, self.original), *self.discussion(), item7a, self.standing("market"),
            Heading("Item 8. Financial Statements and Supplementary Data"),
            Heading("Report of Independent Registered Public Accounting Firm", 2), Para(opinion),
            *self.statements(), *notes(self.company, self.period, self.original), Heading("Item 9A. Controls and Procedures"),
            *self.controls(amendment), *self.signatures(),
        ]  # fmt: skip

    def controls(self, amendment: str) -> list[Block]:
        """Item 9A (Item 4 of a quarterly report), adverse after a restatement."""
        own = self.company.text("controls", self.period)
        if own and (amendment or not self.original):
            return [Para(" ".join(own.split()))]
        return [self.standing("controls")]

    def quarterly_blocks(self) -> list[Block]:
        """A whole quarterly report."""
        risk = (
            "There have been no material changes to the risk factors in our annual report except "
            "as described in Item 2 above."
        )
        return [
            *self.cover(), PageBreak(), Heading("Part I - Financial Information", 2),
            Heading("Item 1. Financial Statements"), *self.statements(), *notes(self.company, self.period, self.original),
            *self.discussion(),
            Heading("Item 3. Quantitative and Qualitative Disclosures About Market Risk"),
            self.standing("market"), Heading("Item 4. Controls and Procedures"), *self.controls(""),
            Heading("Part II - Other Information", 2), Heading("Item 1A. Risk Factors"), Para(risk),
            *self.signatures(),
        ]  # fmt: skip

    def signatures(self) -> list[Block]:
        """The signature block."""
        ceo, cfo = (officer(self.company, r, self.period) for r in ("ceo", "cfo"))
        return [
            Heading("Signatures", 2),
            Para(
                "Pursuant to the requirements of the Securities Exchange Act of 1934, the "
                "registrant has duly caused this report to be signed on its behalf."
            ),
            Para(f"/s/ {ceo}, Chief Executive Officer"),
            Para(f"/s/ {cfo}, Chief Financial Officer"),
        ]

    def facts(self, amendment: str = "") -> dict[str, str]:
        """dei facts for inline XBRL, plus ``start``, the first day of the period."""
        end = self.company.period_end(self.period)
        first = self.company.period_end(before(self.period, 1 if not self.annual else 4))
        return {
            "start": (first + timedelta(days=1)).isoformat(),
            "dei:DocumentType": self.form + ("/A" if amendment else ""),
            "dei:EntityRegistrantName": self.company.name,
            "dei:EntityCentralIndexKey": self.company.raw["cik"],
            "dei:TradingSymbol": self.company.ticker,
            "dei:DocumentPeriodEndDate": end.isoformat(),
            "dei:DocumentFiscalYearFocus": self.period[:4],
            "dei:DocumentFiscalPeriodFocus": self.period[4:],
            "dei:AmendmentFlag": "true" if amendment else "false",
        }

    def doc(self, amendment: str = "", note: list[Block] | None = None) -> Doc:
        """The finished document with its file name."""
        kind = "annual" if self.annual else "quarterly"
        suffix = self.suffix(amendment)
        self.amended = bool(amendment)
        blocks = self.annual_blocks(amendment, note) if self.annual else self.quarterly_blocks()
        form = self.form + ("/A" if amendment else "")
        stem = self.company.short.upper().replace(" & ", "").replace(" ", "")
        label = f"FY{self.period[:4]}" if self.annual else self.period
        return Doc(
            file=f"filings/{stem}_{label}_{form.replace('-', '').replace('/', '')}.{suffix}",
            kind=f"{kind}_report",
            title=f"{self.company.name} - Form {form} - {period_words(self.company, self.period)}",
            company=self.company.name,
            period=self.period,
            day=self.day(amendment),
            blocks=tuple(blocks),
            running=f"{self.company.name}  |  Form {form}  |  {label}",
            facts=self.facts(amendment) if suffix == "html" else {},
        )


CONTENTS = (
    "Item 1. Business", "Item 1A. Risk Factors", "Item 2. Properties", "Item 3. Legal Proceedings",
    "Item 5. Market for Registrant's Common Equity and Related Stockholder Matters",
    "Item 7. Management's Discussion and Analysis of Financial Condition and Results of Operations",
    "Item 7A. Quantitative and Qualitative Disclosures About Market Risk",
    "Item 8. Financial Statements and Supplementary Data", "Item 9A. Controls and Procedures",
)  # fmt: skip
