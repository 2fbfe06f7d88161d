"""`manage.py bench WHAT …`: how fast it is."""

from __future__ import annotations

from training.management.scored_command import ScoredCommand


class Command(ScoredCommand):
    help = "Measure how fast the serving code is on this machine."
    subjects = {
        "arrivals": "benchmarks.arrivals",
        "ask": "benchmarks.ask",
        "gather": "benchmarks.gathering",
        "ingest": "benchmarks.ingestion",
        "review": "benchmarks.review",
        "embed": "benchmarks.embedding",
        "search": "benchmarks.search",
        "switch": "benchmarks.switching",
        "tag": "benchmarks.tagging",
        "feed": "benchmarks.feed",
        "feed-scoring": "benchmarks.feed_scoring",
    }
