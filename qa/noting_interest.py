"""What somebody asks about tells what they want to read: kept in the kernel, for the feed."""

from __future__ import annotations

from docintel import activity
from ingestion.querysets import User
from qa.understood import Understanding


def note_interest(read: Understanding, user: User) -> None:
    """The companies of the question and of the page's own scope, and its topics."""
    companies = {company.id for company in read.companies} | {*read.confined_to.companies}
    activity.record(
        user,
        activity.ASKED,
        companies=companies,
        topics=read.confined_to.topics,
        text=read.question,
    )
