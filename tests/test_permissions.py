"""Every route × every person × a visible, a restricted and a missing document, GET and POST.

A new route without a line in the tables below fails. Restricted and missing must look the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Task
from reportlab.pdfgen.canvas import Canvas

from docintel import registry
from docintel.models import ApiToken, Measurement, ModelFlip, ModelVersion
from extraction.result_tables import BulkRun, ExtractionRun
from extraction.schema_tables import Schema
from feed.ml.features import NAMES as FEATURES
from feed.models import FeedEvent, RankFailure, SavedSearch
from ingestion.freezing import text_digest
from ingestion.models import Company, Document, Reembedding, Source, Topic
from ingestion.receiving import take_in
from qa.answer_tables import AnswerSentence, Ask
from review.models import Correction, DeskSettings, ReviewItem
from training.models import FlywheelSettings, GateVerdict, Snapshot, TrainingRun

pytestmark = pytest.mark.django_db

NOBODY: set[str] = set()
SIGNED_IN = {"charlie", "alice", "eve", "ian", "olga", "adam"}
ANYONE = {"anonymous", *SIGNED_IN}
READERS = SIGNED_IN - {"charlie"}
SENDERS = READERS - {"olga"}
EDITORS = {"eve", "adam"}
OPERATORS = {"olga", "adam"}
STAFF = {"eve", "olga", "adam"}
EXTRACTORS = READERS - {"alice"}
ADAM = {"adam"}

# Route -> who may GET it, who may POST to it.
EXPECTED: dict[str, tuple[set[str], set[str]]] = {
    "qa:search": (READERS, NOBODY),
    "qa:hits": (READERS, NOBODY),
    "ingestion:documents": (READERS, NOBODY),
    "ingestion:status": (READERS, NOBODY),
    "ingestion:document": (READERS, NOBODY),
    "ingestion:text": (READERS, NOBODY),
    "ingestion:pages": (READERS, NOBODY),
    "ingestion:page": (READERS, NOBODY),
    "ingestion:page_image": (READERS, NOBODY),
    "ingestion:file": (READERS, NOBODY),
    "ingestion:edit": (EDITORS, EDITORS),
    "ingestion:changes": (READERS, NOBODY),
    "ingestion:withdraw": (NOBODY, OPERATORS),
    "ingestion:rerun": (NOBODY, OPERATORS),
    "ingestion:ledger": (OPERATORS, NOBODY),
    "ingestion:rerun_source": (NOBODY, OPERATORS),
    "ingestion:confirm_absent": (NOBODY, OPERATORS),
    "ingestion:upload": (SENDERS, SENDERS),
    "ingestion:sources": (OPERATORS, NOBODY),
    "ingestion:new_source": (OPERATORS, OPERATORS),
    "ingestion:source": (OPERATORS, NOBODY),
    "ingestion:edit_source": (OPERATORS, OPERATORS),
    "ingestion:quarantine": (OPERATORS, NOBODY),
    "ingestion:retry": (NOBODY, OPERATORS),
    "ingestion:drop": (NOBODY, OPERATORS),
    "ingestion_api:documents": (READERS, SENDERS),
    "ingestion_api:upload": (NOBODY, SENDERS),
    "ingestion_api:document": (READERS, NOBODY),
    "ingestion_api:mentions": (READERS, NOBODY),
    "ingestion_api:status": (READERS, NOBODY),
    "ingestion_api:schema": (SIGNED_IN, NOBODY),
    "ingestion_api:docs": (SIGNED_IN, NOBODY),
    "qa_api:search": (READERS, NOBODY),
    "qa:ask_stream": (NOBODY, READERS),
    "qa_api:ask": (NOBODY, READERS),
    "qa_api:answer": (READERS, NOBODY),
    "qa_api:feedback": (NOBODY, READERS),
    "qa:ask": (READERS, READERS),
    "qa:answers": (READERS, NOBODY),
    "qa:answer": (READERS, NOBODY),
    "qa:feedback": (NOBODY, READERS),
    "qa:opened": (NOBODY, READERS),
    "qa:experiment": (OPERATORS, NOBODY),
    "extraction:document": (READERS, NOBODY),
    "extraction:panel": (READERS, NOBODY),
    "extraction:text": (READERS, NOBODY),
    "extraction:again": (NOBODY, OPERATORS),
    "extraction:export": (READERS, NOBODY),
    "extraction:colours": (READERS, NOBODY),
    "extraction:export_scope": (READERS, NOBODY),
    "extraction:bulk_runs": (EXTRACTORS, EXTRACTORS),
    "extraction:expected": (EXTRACTORS, NOBODY),
    "extraction:failed": (OPERATORS, OPERATORS),
    # Only one's own.
    "extraction:bulk": ({"eve"}, NOBODY),
    "extraction:progress": ({"eve"}, NOBODY),
    "extraction:change": (NOBODY, {"eve"}),
    "extraction:export_bulk": ({"eve"}, NOBODY),
    "extraction_api:spans": (READERS, NOBODY),
    "extraction_api:relations": (READERS, NOBODY),
    "extraction_api:runs": (READERS, NOBODY),
    "extraction_api:bulk_runs": (EXTRACTORS, EXTRACTORS),
    "extraction_api:bulk_run": ({"eve"}, {"eve"}),
    "feed:feed": (READERS, NOBODY),
    "feed:company": (READERS, NOBODY),
    "feed:company_changes": (READERS, NOBODY),
    "extraction:company_figures": (READERS, NOBODY),
    # From a mail, by its token; it tells nothing.
    "feed:unsubscribe": (ANYONE, ANYONE),
    "feed:events": (NOBODY, READERS),
    "feed:follow": (NOBODY, READERS),
    "feed:news": (READERS, NOBODY),
    "feed:live": (READERS, NOBODY),
    "feed:ratings": (READERS, NOBODY),  # Without an ask of one's own: a 404.
    "feed:saved": (READERS, NOBODY),
    "feed:start": (READERS, READERS),
    "feed:profile": (READERS, NOBODY),
    "feed:change": (NOBODY, READERS),
    "feed:save": (NOBODY, READERS),
    "feed:beside": (READERS, NOBODY),
    "feed:save_search": (NOBODY, READERS),
    # Only one's own.
    "feed:search": ({"eve"}, {"eve"}),
    "feed_api:searches": (READERS, READERS),
    "feed_api:search": ({"eve"}, NOBODY),
    "feed_api:feed": (READERS, NOBODY),
    "feed_api:events": (NOBODY, READERS),
    "feed_api:follows": (READERS, READERS),
    "login": (ANYONE, ANYONE),
    "logout": (NOBODY, SIGNED_IN),
    "health": (OPERATORS, NOBODY),
    "healthz": (ANYONE, NOBODY),
    "closed": (NOBODY, NOBODY),
    "admin:training_trainingrun_story": (STAFF, NOBODY),
    "admin:ingestion_reembedding_start": (NOBODY, OPERATORS),
    "admin:ingestion_reembedding_steer": (NOBODY, OPERATORS),
    "admin:index": (STAFF, STAFF),
    "admin:search": (STAFF, STAFF),
    "admin:login": (ANYONE, ANYONE),
    "admin:logout": (NOBODY, STAFF),
    "admin:password_change": (STAFF, STAFF),
    "admin:password_change_done": (STAFF, NOBODY),
    "admin:autocomplete": (NOBODY, NOBODY),  # Without a field that it completes: a 403.
    "admin:jsi18n": (STAFF, NOBODY),
    "admin:view_on_site": (NOBODY, NOBODY),
    "admin:app_list": (STAFF, STAFF),
    "admin:auth_user_password_change": (ADAM, ADAM),
    "admin:review_reviewitem_desk": (EDITORS, NOBODY),
    "admin:review_reviewitem_next": (EDITORS, NOBODY),
    "admin:review_reviewitem_one": (EDITORS, NOBODY),
    "admin:review_reviewitem_verdict": (NOBODY, EDITORS),
    "admin:review_reviewitem_undo": (NOBODY, EDITORS),
    "admin:review_reviewitem_leave": (NOBODY, EDITORS),
    "admin:review_reviewitem_keys": (EDITORS, EDITORS),
    "admin:review_reviewitem_agreement": (EDITORS, EDITORS),
    "admin:review_reviewitem_mine": (EDITORS, EDITORS),
    "admin:review_reviewitem_rules": (STAFF, STAFF),
    "admin:to change": (STAFF, STAFF),  # Only a redirect to the row's form.
    "admin:anything else": (NOBODY, NOBODY),
}
ACTIONS = ("changelist", "history", "change", "add", "delete")
# Model of the admin -> who may do each of ACTIONS.
ALL_OF_IT = dict.fromkeys(ACTIONS, ADAM)
ADMIN: dict[str, dict[str, set[str]]] = {
    "auth_user": ALL_OF_IT,
    "auth_group": ALL_OF_IT,
    "docintel_apitoken": ALL_OF_IT,
    "axes_accessattempt": {**ALL_OF_IT, "add": NOBODY},
    "axes_accesslog": {**ALL_OF_IT, "add": NOBODY},
    "axes_accessfailurelog": {**ALL_OF_IT, "add": NOBODY},
    **{
        model: {**dict.fromkeys(ACTIONS[:3], who), "add": NOBODY, "delete": NOBODY}
        for model, who in {
            "docintel_modelversion": STAFF,
            "docintel_modelflip": STAFF,
            "training_trainingrun": STAFF,
            "training_gateverdict": STAFF,
            "training_snapshot": STAFF,
            "docintel_measurement": OPERATORS,
            "ingestion_reembedding": OPERATORS,
            "django_q_schedule": ADAM,
            "django_q_success": ADAM,
            "django_q_failure": ADAM,
            "django_q_ormq": ADAM,
            "feed_feedevent": ADAM,
            "ingestion_document": STAFF,
            "review_reviewitem": STAFF,
            "review_correction": EDITORS,
        }.items()
    },
    "training_flywheelsettings": {
        **dict.fromkeys(ACTIONS[:3], OPERATORS),
        "add": NOBODY,
        "delete": NOBODY,
    },
    "feed_ratedsource": {**ALL_OF_IT, "add": NOBODY, "delete": NOBODY},
    "feed_rankfailure": {**ALL_OF_IT, "add": NOBODY},
    "ingestion_source": {**dict.fromkeys(ACTIONS, OPERATORS), "delete": NOBODY},
    "ingestion_company": {**ALL_OF_IT, "delete": NOBODY},
    "ingestion_companyalias": ALL_OF_IT,
    "ingestion_topic": {**dict.fromkeys(ACTIONS, EDITORS), "add": NOBODY, "delete": NOBODY},
    "ingestion_topiclabel": dict.fromkeys(ACTIONS, EDITORS),
    "review_desksettings": {
        **dict.fromkeys(ACTIONS[:3], OPERATORS),
        "add": NOBODY,
        "delete": NOBODY,
    },
    "extraction_schema": {**dict.fromkeys(ACTIONS, EDITORS), "delete": NOBODY},
    "extraction_schemaversion": {
        **dict.fromkeys(ACTIONS[:3], EDITORS),
        "add": NOBODY,
        "delete": NOBODY,
    },
}
# Read-only in the admin: looked at by GET, never posted to.
UNCHANGEABLE = {
    model
    for model, actions in ADMIN.items()
    if not actions["add"]
    and "axes" not in model
    and model
    not in {
        *("ingestion_topic", "feed_ratedsource", "feed_rankfailure", "review_desksettings"),
        "training_flywheelsettings",
    }
}
# Whoever may restrict sources knows them all, and their companies.
NAMES_ARE_KNOWN = (
    "admin:ingestion_source",
    "admin:ingestion_company",
    "admin:ingestion_companyalias",
    "admin:auth_group",
)
MISSING = "00000000-0000-4000-8000-000000000000"
MISSING_ROW = 987_654_321


@dataclass(frozen=True)
class Route:
    name: str
    pattern: str

    @property
    def expected(self) -> tuple[set[str], set[str]] | None:
        if self.name in EXPECTED:
            return EXPECTED[self.name]
        model, _, action = self.name.removeprefix("admin:").rpartition("_")
        who = ADMIN.get(model, {}).get(action)
        if who is None:
            return None
        # Nothing may be posted to a history either, but Django answers with the same page.
        return who, NOBODY if model in UNCHANGEABLE and action == "change" else who

    @property
    def is_api(self) -> bool:
        return self.pattern.startswith("api/")

    def address(self, document: Document | None, row: int | str) -> str:
        """With this document's id, or the missing one; `row` where the admin wants a row's id."""
        path = self.pattern.replace(
            "<uuid:public_id>", str(document.public_id if document else MISSING)
        )
        of = str(document.source_id if document else MISSING_ROW)
        path = path.replace("<int:source>", of)
        company = str(document.company_id if document else MISSING_ROW)
        path = path.replace("companies/<int:pk>", f"companies/{company}")
        path = path.replace("<str:token>", "nobodys-token")
        path = re.sub(r"<int:\w+>", "1", path).replace("<slug:schema>", "kpis")
        path = re.sub(r"<path:object_id>|<id>", str(row), path)
        path = re.sub(r"<path:\w+>", "1", path)
        path = re.sub(r"\^?\(\?P<app_label>[^)]*\)/\$", "ingestion/", path)
        return "/" + re.sub(r"\(\?P<url>\.\*\)\$", "nothing", path)


def routes(patterns=None, namespaces=(), prefix=""):
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inside = (*namespaces, pattern.namespace) if pattern.namespace else namespaces
            yield from routes(pattern.url_patterns, inside, path)
        else:
            unnamed = "anything else" if "<url>" in path else "to change"
            yield Route(":".join([*namespaces, pattern.name or unnamed]), path)


def test_every_route_says_who_may():
    undeclared = [route for route in routes() if route.expected is None]
    assert undeclared == []


def test_no_expectation_outlives_its_route():
    there = {route.name for route in routes()}
    assert EXPECTED.keys() <= there
    assert {f"admin:{model}_{action}" for model in ADMIN for action in ACTIONS} <= there


# The objects


def pdf(words: str) -> BytesIO:
    file = BytesIO()
    canvas = Canvas(file)
    canvas.drawString(72, 700, words)
    canvas.save()
    file.seek(0)
    return file


def put(source, words, **fields):
    document = take_in(source, f"{words.split()[0]}.pdf", pdf(words)).document
    values = {
        "title": words, "text": words, "text_sha256": text_digest(words), "pages": [0],
        "media_type": "application/pdf", "parsed_at": timezone.now(),
        "searchable_at": timezone.now(), "embedded_at": timezone.now(), **fields,
    }  # fmt: skip
    Document.objects.filter(pk=document.pk).update(**values)
    document.refresh_from_db()
    return document


def one_row_of_every_table() -> None:
    """Of those that the admin shows."""
    now = timezone.now()
    ApiToken.issue(User.objects.create_user("dora"), "old")
    version = ModelVersion.objects.create(name="test", version="1", digest="0")
    ModelFlip.objects.create(name="test", action="promoted", version=version, to_version=version)
    Reembedding.objects.create(embedder=version, before=version, state=Reembedding.State.LIVE)
    run = TrainingRun.objects.create(name="test", log="loss 0.5", version=version)
    GateVerdict.objects.create(candidate=version, run=run, outcome="rejected", why="", seconds=1)
    Snapshot.objects.create(
        name="test", number=1, digest="0", file="0", as_of=now, examples=1, test_examples=0,
        documents=1, test_documents=0,
    )  # fmt: skip
    FlywheelSettings.current()
    Reembedding.objects.create(embedder=version, before=version, state="tidied")
    Measurement.objects.create(name="test", value=1)
    Schedule.objects.create(func="a.b")
    OrmQ.objects.create(key="test", payload="", lock=now)
    for success in (True, False):
        Task.objects.create(
            id=str(success), name="a", func="a.b", started=now, stopped=now, success=success
        )
    for model in (AccessLog, AccessFailureLog):
        model.objects.create(username="dora", ip_address="127.0.0.1")
    AccessAttempt.objects.create(username="dora", ip_address="127.0.0.1", failures_since_start=1)


def shown_to(user: User | None, document: Document) -> None:
    """On somebody's feed."""
    now = timezone.now()
    FeedEvent.objects.create(
        client_id=document.public_id, user=user, document=document, verb="impression",
        position=1, occurred_at=now, features=[0.5] * len(FEATURES),
    )  # fmt: skip


def watched_for(document: Document, user: User) -> None:
    """A saved search that it came to match, under its id; and it could not be ranked."""
    RankFailure.objects.create(document=document, attempts=3, reason=document.title)
    search = SavedSearch.objects.create(
        public_id=document.public_id, user=user, name=f"watch {document.pk}", query="margins"
    )
    search.matches.create(document=document)


def answer_citing(document: Document) -> None:
    """An answer of somebody else, under the id of the document that it cites."""
    ask = Ask.objects.create(
        public_id=document.public_id, text="What happened?", state=Ask.State.ANSWERED
    )
    sentence = ask.sentences.create(
        ordinal=1, text=document.text, state=AnswerSentence.State.KEPT, group=document.title
    )
    sentence.citations.create(
        ordinal=1, number=1, document=document, start=0, end=4, quote=document.text[:4]
    )


def extracted(document: Document, user: User | None) -> None:
    """What was found in it, and somebody's bulk run under its id."""
    schema = Schema.objects.get(name="kpis")
    tagger = registry.register("tagger:kpis", "1", "1")
    versions = {"schema": schema, "schema_version": schema.current, "model_version": tagger}
    run = ExtractionRun.objects.create(
        document=document, state="finished", shown=True, span_count=1, **versions
    )
    run.spans.create(
        document=document, schema=schema, label="kpi", start=0, end=len(document.text),
        text=document.text, confidence=0.9,
    )  # fmt: skip
    bulk = BulkRun.objects.create(
        public_id=document.public_id, described=document.title, created_by=user,
        state=BulkRun.State.RUNNING, document_count=1, **versions,
    )  # fmt: skip
    bulk.items.create(document=document)


def reviewed(document: Document, pk: int, label: str = "kpi") -> None:
    """An item of it, and what somebody said."""
    text = document.text
    proposal = {"label": label, "start": 0, "end": len(text), "text": text}
    item = ReviewItem.objects.create(
        id=pk, kind="span", document=document, schema=Schema.objects.get(name="kpis"), label=label,
        start=0, end=len(text), text=text, proposal=proposal, confidence=0.6, why="unsure",
        value=0.9,
    )  # fmt: skip
    Correction.objects.create(
        item=item, kind="span", verdict="skip", before=proposal, reason=text, document=document,
        who="dora", who_id=0,
    )  # fmt: skip


@dataclass
class World:
    visible: Document
    hidden: Document
    broken: Document
    spoilt: Document
    hidden_broken: Document


@pytest.fixture
def world(db, settings, tmp_path, eve):
    settings.MEDIA_ROOT = tmp_path
    deal_team = Group.objects.create(name="deal team")
    vault = Source.objects.create(name="Vault", kind=Source.Kind.UPLOAD)
    vault.groups.add(deal_team)
    library = Source.objects.create(name="Library", kind=Source.Kind.FOLDER)
    acme = Company.objects.create(name="Acme", key="acme")
    falcon = Company.objects.create(name="Falcon Holdings", key="falcon")
    topic = Topic.objects.get(key="mergers")
    acme.aliases.create(name="Acme Works", key="acmeworks")
    one_row_of_every_table()
    given_up = {
        "quarantined_at": timezone.now(), "failed_stage": "parse", "failed_reason": "Encrypted.",
        "parsed_at": None, "searchable_at": None, "embedded_at": None, "text": "",
        "text_sha256": "",
    }  # fmt: skip
    hidden = put(vault, "Falcon will be bought", company=falcon, fiscal_year=1999, kind="news")
    hidden.topic_labels.create(topic=topic)
    visible = put(library, "Acme margins fell", company=acme, fiscal_year=2024)
    visible.topic_labels.create(topic=topic)
    classifier = ModelVersion.objects.get(name="test")
    hidden.topics.create(topic=topic, probability=0.9, classifier=classifier)
    shown_to(eve, hidden)
    shown_to(eve, visible)
    watched_for(visible, eve)
    watched_for(hidden, User.objects.get(username="dora"))
    answer_citing(visible)
    answer_citing(hidden)
    extracted(visible, eve)
    extracted(hidden, None)
    # 1 is what every address of the desk is asked with, the last what those of the admin are.
    for pk, document, label in ((1, visible, "kpi"), (2, hidden, "kpi"), (3, visible, "cy")):
        reviewed(document, pk, label)
    DeskSettings.current()
    return World(
        visible=visible,
        hidden=hidden,
        broken=put(library, "Broken file", **given_up),
        spoilt=put(library, "Spoilt file", **given_up),
        hidden_broken=put(vault, "Falcon broken file", **given_up),
    )


@pytest.fixture
def person(request):
    def find(name: str) -> User | None:
        return None if name == "anonymous" else request.getfixturevalue(name)

    return find


def signed_in(user: User | None) -> Client:
    client = Client(raise_request_exception=False)
    if user is not None:
        client.force_login(user)
    return client


def ask(client: Client, route: Route, method: str, document: Document | None, row: int):
    if "logout" in route.name and method == "post":
        # In a session of its own: this person's is still needed.
        pk = client.session.get("_auth_user_id")
        client = signed_in(User.objects.get(pk=pk) if pk else None)
    return getattr(client, method)(route.address(document, row))


def pair(route: Route, world: World) -> tuple[Document, Document]:
    """The visible and the hidden document that this route is about."""
    if route.name == "ingestion:retry":
        return world.broken, world.hidden_broken
    if route.name == "ingestion:drop":
        return world.spoilt, world.hidden_broken
    return world.visible, world.hidden


def row_of(route: Route, document: Document) -> int | str:
    """The row that an admin route is about: the document, or one of its model."""
    model = re.match(r"admin/(\w+)/(\w+)/<", route.pattern)
    if model is None or model[2] in {"document", "source"}:
        return document.source_id if model and model[2] == "source" else document.pk
    rows = apps.get_model(model[1], model[2]).objects
    return rows.order_by("pk").values_list("pk", flat=True).last()


def denied(response, route: Route) -> bool:
    if response.status_code == 302 and "login" not in route.name:
        place = response["Location"]
        return place == "/admin/" or place.startswith(("/sign-in/?next=", "/admin/login/?next="))
    return response.status_code in {401, 403, 404, 405}


@pytest.mark.parametrize("name", sorted(ANYONE))
def test_everyone_may_exactly_what_is_declared(world, person, name):
    client = signed_in(person(name))
    wrong = []
    for route in routes():
        assert route.expected is not None, route
        document, _ = pair(route, world)
        row = row_of(route, document)
        for method, who in zip(("get", "post"), route.expected, strict=True):
            response = ask(client, route, method, document, row)
            status = response.status_code
            if status >= 500:
                wrong.append((route.name, method, status))
            elif denied(response, route) == (name in who):
                wrong.append((route.name, method, status, "may" if name in who else "may not"))
            elif name not in who and route.is_api and name == "anonymous" and status != 401:
                wrong.append((route.name, method, status, "not a 401"))
    assert wrong == [], "\n".join(map(str, wrong))


@pytest.mark.parametrize("name", sorted(ANYONE))
def test_a_restricted_document_looks_like_a_missing_one(world, person, name):
    client = signed_in(person(name))
    different = []
    for route in routes():
        about = ("uuid:public_id", "int:source", "/document/")
        if not any(words in route.pattern for words in about):
            continue
        _, hidden = pair(route, world)
        for method in ("get", "post"):
            there = ask(client, route, method, hidden, hidden.pk)
            missing = ask(client, route, method, None, MISSING_ROW)
            seen = [
                (
                    answer.status_code,
                    plain(answer.get("Location", ""), hidden),
                    body(answer, hidden),
                )
                for answer in (there, missing)
            ]
            if seen[0] != seen[1]:
                different.append((route.name, method, seen[0][:2], seen[1][:2]))
    assert different == []


def body(response, hidden: Document) -> str:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return plain(content.decode(errors="replace"), hidden)


def plain(words: str, hidden: Document) -> str:
    """Without the ids and what changes from one request to the next."""
    for pk in (str(hidden.public_id), MISSING):
        words = words.replace(pk, "ID")
    words = re.sub(rf"/sources/{hidden.source_id}/", "/sources/ROW/", words)
    words = re.sub(rf"\b({hidden.pk}|{MISSING_ROW})\b", "ROW", words)
    return re.sub(r"\b[A-Za-z0-9]{64}\b", "CSRF", words)


# The year that only the hidden document is of; an id or a time may have these digits in it.
HIDDEN_YEAR = re.compile(rb"(?<![\w.-])(?:FY)?1999(?![\w-])")


@pytest.mark.parametrize("name", sorted(SIGNED_IN))
def test_no_page_names_what_is_hidden(world, person, name):
    client = signed_in(person(name))
    secrets = (b"Falcon", b"Vault", str(world.hidden.public_id).encode())
    told = []
    for route in routes():
        if name == "adam" and route.name.startswith(NAMES_ARE_KNOWN):
            continue
        response = ask(client, route, "get", world.visible, row_of(route, world.visible))
        if response.streaming:
            continue
        told += [(route.name, word) for word in secrets if word in response.content]
        told += [(route.name, year) for year in HIDDEN_YEAR.findall(response.content)]
    assert told == []


LABELLING = (
    "/admin/autocomplete/?app_label=ingestion&model_name=topiclabel&field_name=document&term=bought"
)
SEARCHED = [
    "/?q=Falcon", "/?company={company}", "/?source={source}", "/documents/?q=Falcon",
    "/documents/?source={source}", "/documents/?company={company}", "/documents/?year=1999",
    "/documents/status/?d={hidden}", "/upload/?d={hidden}", "/quarantine/?q=Falcon",
    "/admin/ingestion/document/?q=bought", "/admin/ingestion/document/?source__id__exact={source}",
    "/admin/ingestion/document/?company__id__exact={company}",
    "/admin/autocomplete/?app_label=ingestion&model_name=document&field_name=duplicate_of&term=bought",
    "/admin/search/?s=bought", "/?topic=mergers", "/documents/?topic=mergers",
    "/api/v1/documents/?topic=mergers", "/admin/ingestion/topiclabel/?q=bought",
    "/admin/ingestion/topiclabel/?topic__key__exact=mergers",
    LABELLING, "/api/v1/documents/?fiscal_year=1999",
    "/api/v1/documents/?company=Falcon+Holdings", "/api/v1/search/?q=bought",
    "/ask/?q=Falcon", "/ask/?company={company}", "/ask/?source={source}", "/answers/?q=bought",
    "/extraction/?source={source}&company=Falcon", "/extraction/failed/", "/extraction/",
    "/extraction/expected/?schema=kpis&source={source}",
    "/extraction/expected/?schema=kpis&company=Falcon+Holdings",
    "/api/v1/extractions/spans/?document={hidden}", "/api/v1/extractions/runs/?fiscal_year=1999",
    "/api/v1/extractions/spans/?company=Falcon+Holdings", "/api/v1/extractions/bulk-runs/",
    "/documents/{hidden}/extracted/", "/documents/{hidden}/beside/", "/feed/?source={source}",
    "/feed/?company={company}", "/feed/?topic=mergers", "/feed/?hidden=1&sort=time", "/feed/start/",
    "/companies/{company}/changes/", "/companies/{company}/figures/",
    "/feed/saved/", "/feed/profile/", "/api/v1/saved-searches/", "/feed/searches/{hidden}/",
    "/api/v1/feed/?company={company}", "/api/v1/follows/",
    "/admin/review/reviewitem/?source={source}",
    "/admin/review/reviewitem/desk/?item=2", "/admin/review/reviewitem/desk/item/2/",
    "/admin/review/reviewitem/2/change/", "/admin/review/correction/",
    "/admin/review/reviewitem/desk/next/?besides=1&source={source}",
]  # fmt: skip


@pytest.mark.parametrize("name", ["alice", "eve", "ian", "olga", "adam"])
def test_no_search_list_or_choice_finds_what_is_hidden(world, person, name, monkeypatch):
    from docintel import encoders

    def unavailable(*_, **__):
        raise encoders.EncoderUnavailable("not in this test")

    monkeypatch.setattr(encoders, "live_embedder", unavailable)
    client = signed_in(person(name))
    told = []
    for template in SEARCHED:
        address = template.format(
            company=world.hidden.company_id,
            source=world.hidden.source_id,
            hidden=world.hidden.public_id,
        )
        content = client.get(address)
        assert content.status_code < 500, address
        shown = content.content.replace(b"Falcon+Holdings", b"").replace(b"q=Falcon", b"")
        words = (b"will be bought", b"Falcon Holdings", b"Vault", b"Falcon.pdf")
        told += [(address, word) for word in words if word in shown]
    assert told == []


def test_a_member_of_the_group_sees_it(world, alice):
    alice.groups.add(Group.objects.get(name="deal team"))
    client = signed_in(alice)
    for name in ("ingestion:document", "ingestion:file", "ingestion_api:document"):
        assert client.get(reverse(name, args=[world.hidden.public_id])).status_code == 200, name
    for address in ("/documents/", "/api/v1/documents/"):
        assert HIDDEN_YEAR.search(client.get(address).content), address


def test_a_copy_sent_by_web_says_nothing_of_the_hidden_one(world, alice):
    client = signed_in(alice)
    copy = Document.objects.create(
        source=world.visible.source, file_name="mine.pdf", title="Mine", parsed_at=timezone.now(),
        duplicate_of=world.hidden, media_type="application/pdf", file=world.visible.file.name,
        uploaded_by=alice,
    )  # fmt: skip
    for address in (
        reverse("ingestion:document", args=[copy.public_id]),
        reverse("ingestion:documents"),
        f"/documents/status/?d={copy.public_id}",
        f"/upload/?d={copy.public_id}",
    ):
        response = client.get(address)
        assert response.status_code == 200, address
        for word in (b"Vault", b"Falcon.pdf", str(world.hidden.public_id).encode()):
            assert word not in response.content, (address, word)
    page = client.get(reverse("ingestion:document", args=[copy.public_id]))
    assert b"uplicate" not in page.content
    assert b"Mine" not in client.get("/documents/?state=duplicate").content


# fmt: off
HOSTILE = ["\0", "9" * 400, "-1", "'; DROP TABLE x --", "\u202e\U0001f600", "a" * 9000, "{{7*7}}",
           "NaN", "document", "opened", "__class__", "../..", "2024-13-45", "1e999", '"', '"" "']
NAMES = ["q", "company", "kind", "year", "quarter", "source", "from", "to", "start", "end", "page",
         "at", "way", "d", "width", "state", "view", "sort", "next", "limit", "x__y", "track"]
# fmt: on


NOT_FUZZED = {"health", "ingestion:page_image", "ingestion_api:schema"}


def test_hostile_parameters_are_never_a_500(world, adam, monkeypatch):
    from docintel import encoders

    def unavailable(*_, **__):
        raise encoders.EncoderUnavailable("not in this test")

    monkeypatch.setattr(encoders, "live_embedder", unavailable)
    client = signed_in(adam)
    failed = []
    for route in routes():
        if route.name.startswith("admin:") or route.name in NOT_FUZZED:
            continue
        address = route.address(pair(route, world)[0], row_of(route, world.visible))
        asked = [{name: [value, value] for name in NAMES} for value in HOSTILE]
        # One by one too, as one error may hide another.
        asked += [{name: HOSTILE[n % len(HOSTILE)]} for n, name in enumerate(NAMES)]
        asked += [{"way": value} for value in HOSTILE]
        for parameters in asked:
            if client.get(address, parameters).status_code >= 500:
                failed.append((route.name, str(parameters)[:60]))  # noqa: PERF401
    assert failed == []


def test_no_answer_holds_a_digest_or_a_password(world, adam, ian):
    row, token = ApiToken.issue(ian, "test")
    secrets = (token, row.digest, ian.password, adam.password)
    client = signed_in(adam)
    for route in routes():
        number = row.pk if "apitoken" in route.name else row_of(route, world.visible)
        response = client.get(route.address(world.visible, number))
        if not response.streaming:
            content = response.content.decode(errors="replace")
            assert [secret for secret in secrets if secret in content] == [], route.name
