"""The recurring jobs of the feed."""

from docintel.scheduling import Job

SCHEDULE = [
    Job("rank documents", "feed.tasks.rank_pending", 1),
    Job("rank feeds anew", "feed.tasks.rescore_pending", 5),
    Job("tell of saved searches", "feed.tasks.alert", 1),
    Job("send digests", "feed.tasks.send_digests", 15),
    Job("forget old feed rows", "feed.tasks.forget_old", 1440),
]
