"""Command line door: ``python -m ingestion.sample OUT_DIR`` writes the whole sample corpus."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ingestion.sample.generate import write_corpus


def main() -> int:
    """Parse the one argument, write the corpus and print what was written."""
    parser = argparse.ArgumentParser(prog="python -m ingestion.sample", description=__doc__)
    parser.add_argument("out", type=Path, help="folder to write the corpus into")
    out = parser.parse_args().out
    summary = write_corpus(out)
    print(f"{summary.documents} documents and {summary.odd_files} odd files in {out}")
    for kind, count in sorted(summary.kinds.items()):
        print(f"  {kind}: {count}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
