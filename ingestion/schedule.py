"""The recurring jobs of ingestion; finishing a stage starts the next one without waiting here."""

from docintel.scheduling import Job

SCHEDULE = [
    Job("parse documents", "ingestion.tasks.parse_pending", 1),
    Job("index documents", "ingestion.tasks.index_pending", 1),
    Job("embed documents", "ingestion.tasks.embed_pending", 1),
    Job("recognise mentions", "ingestion.tasks.recognise_pending", 1),
    Job("link older documents", "ingestion.tasks.link_older", 1),
    Job("classify documents", "ingestion.tasks.classify_pending", 1),
    Job("embed units", "ingestion.tasks.units_pending", 1),
    Job("embed beside", "ingestion.tasks.reembed_pending", 1),
    Job("check the indexes", "ingestion.tasks.check_indexes", 3),
    Job("poll sources", "ingestion.tasks.poll_sources", 1),
    Job("mend revisions", "ingestion.tasks.mend_revisions", 2),
    Job("sketch documents", "ingestion.tasks.sketch_pending", 5),
    Job("scan folders", "ingestion.tasks.scan_folders", 5),
    # The row of the day, written anew while the day lasts.
    Job("compare new sources", "ingestion.tasks.compare_new_sources", 360),
    Job("refresh word statistics", "ingestion.tasks.refresh_statistics", 10),
]
