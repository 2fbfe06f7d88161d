"""Plain text and Markdown renderings; tables keep their columns, paragraphs are wrapped or not."""

from __future__ import annotations

import textwrap

from ingestion.sample.blocks import Bullets, Chart, Doc, Heading, PageBreak, Para, Table


def render_text(doc: Doc) -> bytes:
    """UTF-8 text wrapped at 88 columns, as a transcript service or wire would send it."""
    out: list[str] = []
    for block in doc.blocks:
        if isinstance(block, Para) and block.style == "gap":
            continue
        if isinstance(block, Heading):
            out.append(block.text.upper() if block.level == 1 else block.text)
        elif isinstance(block, Para):
            lead = f"{block.lead}\n" if block.style == "speech" else f"{block.lead} "
            body = textwrap.fill(block.text, 88, break_long_words=False, break_on_hyphens=False)
            out.append((lead if block.lead else "") + body)
        elif isinstance(block, Bullets):
            out.append("\n".join(textwrap.fill(f"- {i}", 88) for i in block.items))
        elif isinstance(block, Table):
            out.append(_aligned(block))
    return ("\n\n".join(out) + "\n").encode()


def _aligned(table: Table) -> str:
    """A table in fixed-width columns."""
    label = max([len(r.label) for r in table.rows] + [24])
    width = max([len(c) for c in table.columns[1:]] + [12])
    lines = [table.caption] + ([f"({table.unit})"] if table.unit else [])
    lines.append(" " * label + "".join(f"  {c:>{width}}" for c in table.columns[1:]))
    lines += [
        f"{row.label:<{label}}" + "".join(f"  {c:>{width}}" for c in row.cells)
        for row in table.rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def render_markdown(doc: Doc) -> bytes:
    """UTF-8 Markdown with pipe tables; one line per paragraph."""
    out: list[str] = []
    for block in doc.blocks:
        if isinstance(block, Heading):
            out.append(
                "#" * (block.level + (0 if block is doc.blocks[0] else 1)) + " " + block.text
            )
        elif isinstance(block, Para):
            lead = f"**{block.lead}** " if block.lead else ""
            out.append(lead + (f"*{block.text}*" if block.style == "small" else block.text))
        elif isinstance(block, Bullets):
            out.append("\n".join(f"- {i}" for i in block.items))
        elif isinstance(block, Table):
            head = "| " + " | ".join(block.columns) + " |"
            rule = "|---|" + "---:|" * (len(block.columns) - 1)
            body = "\n".join(f"| {' | '.join((r.label, *r.cells))} |" for r in block.rows)
            out.append(f"**{block.caption}**\n\n{head}\n{rule}\n{body}")
        elif isinstance(block, (Chart, PageBreak)):
            continue
    return ("\n\n".join(out) + "\n").encode()
