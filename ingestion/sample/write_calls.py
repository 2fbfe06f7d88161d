"""Writes earnings call transcripts: header, participants, prepared remarks, questions and answers."""

from __future__ import annotations

import re
from typing import Any

from ingestion.sample.blocks import Block, Bullets, Doc, Heading, Para
from ingestion.sample.companies import Company, long_date, spoken_period
from ingestion.sample.figures import fill
from ingestion.sample.pools import pick, pool
from ingestion.sample.write_filings import officer

STAGE = re.compile(r"\{(short|period|ir|ceo|cfo_line|analyst|name1|name2)\}")


class CallWriter:
    """Builds the transcript of one call; ``original`` uses figures as first reported."""

    def __init__(self, company: Company, period: str, original: bool = False) -> None:
        self.company, self.period, self.original = company, period, original
        self.script: dict[str, Any] = company.raw["c"][period]
        self.ceo, self.cfo, self.ir = (officer(company, r, period) for r in ("ceo", "cfo", "ir"))
        if company.text("interim", period):
            self.cfo = company.text("interim", period)
        names = [s["name"] for s in company.raw["model"]["segments"]]
        self.names = {
            "short": company.short, "period": spoken_period(period), "ir": self.ir,
            "ceo": self.ceo, "cfo_line": f"{self.cfo}, {self.cfo_title.lower()}",
            "name1": names[0], "name2": names[1],
        }  # fmt: skip

    @property
    def cfo_title(self) -> str:
        """The finance speaker's title, which is interim while the chair is empty."""
        interim = bool(self.company.text("interim", self.period))
        return "Interim Principal Financial Officer" if interim else "Chief Financial Officer"

    def stage(self, name: str, **more: str) -> str:
        """A pool line with names and figures filled in."""
        names = self.names | more
        text = pick(pool("calls")[name], name, self.company.key, self.period, *more.values())
        text = STAGE.sub(lambda m: names[m.group(1)], text)
        return self.figures(text).replace("Co..", "Co.")

    def figures(self, text: str) -> str:
        """Figures filled into a hand-written line."""
        return fill(text, self.company.key, self.period, self.original)

    def say(self, speaker: str, text: str) -> Para:
        """One turn of speech."""
        return Para(self.figures(text), "speech", f"{speaker}:")

    def remarks(self) -> list[Block]:
        """Everything before the questions."""
        ceo, cfo = f"{self.ceo}, Chief Executive Officer", f"{self.cfo}, {self.cfo_title}"
        thanks = pick(
            [f"Thanks, {self.ir.split()[0]}.", "Good morning, everyone.", "Thank you, and hello."],
            self.company.key, self.period,
        )  # fmt: skip
        return [
            Heading("Prepared Remarks", 2),
            self.say("Operator", self.stage("welcome")),
            self.say(f"{self.ir}, Investor Relations", self.stage("safe")),
            self.say(ceo, f"{thanks} {self.script['ceo']}"),
            self.say(cfo, f"{self.stage('numbers')} {self.stage('segments')}"),
            Para(self.figures(self.script["cfo"]), "speech"),
        ]

    def questions(self) -> list[Block]:
        """The question and answer session."""
        blocks: list[Block] = [Heading("Question and Answer Session", 2)]
        for index, turn in enumerate(self.script["qa"]):
            opener = "next" if index else "turn"
            blocks.append(self.say("Operator", self.stage(opener, analyst=turn["a"])))
            hello = pick(pool("calls")["hello"], turn["q"], self.period)
            blocks.append(self.say(turn["a"], f"{hello} {turn['q']}"))
            name = self.ceo if turn["who"] == "ceo" else self.cfo
            blocks.append(self.say(name, turn["r"]))
        blocks.append(self.say("Operator", self.stage("close")))
        return blocks

    def doc(self) -> Doc:
        """The finished transcript with its file name."""
        company, day = self.company, self.company.call_day(self.period)
        analysts = dict.fromkeys(turn["a"] for turn in self.script["qa"])
        label = f"Q{self.period[-1]} {self.period[:4]}"
        title = f"{company.name} ({company.ticker}) {label} Earnings Call Transcript"
        blocks: list[Block] = [
            Heading(title),
            Para(f"{long_date(day)}, 8:30 a.m. Eastern Time"),
            Para(f"{spoken_period(self.period).capitalize()}"),
            Heading("Participants", 2),
            Bullets(
                (
                    f"{self.ceo} - Chief Executive Officer",
                    f"{self.cfo} - {self.cfo_title}",
                    f"{self.ir} - Investor Relations",
                    *analysts,
                )
            ),
            *self.remarks(),
            *self.questions(),
            Para("This transcript was prepared from a recording and may contain errors.", "small"),
        ]
        short = company.short.replace(" & ", "").replace(" ", "")
        suffix = company.raw["formats"]["call"]
        return Doc(
            file=f"calls/{day.isoformat()}_{short}_Q{self.period[-1]}_call.{suffix}",
            kind="earnings_call",
            title=title,
            company=company.name,
            period=self.period,
            day=day,
            blocks=tuple(blocks),
            running=title,
            look="call",
        )
