"""An expert edits a schema row by row, learns beside the field what is wrong, and tries it out."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.utils import timezone

from extraction.editing_schemas import editor_of
from extraction.models import Schema, SchemaVersion
from extraction.previewing import BadMarks, read_marks, write_marks
from extraction.schema import bundled
from ingestion.models import Company, Document, Source

pytestmark = pytest.mark.django_db


@pytest.fixture
def kpis() -> Schema:
    return Schema.objects.get(name="kpis")


def address(schema: Schema) -> str:
    return f"/admin/extraction/schema/{schema.pk}/change/"


def filled(schema: Schema | None, user: Any, **changes: Any) -> dict[str, Any]:
    """What a browser would send of the page, with some fields changed."""
    editor = editor_of(schema, user)
    data: dict[str, Any] = {}
    for form in (editor.form, *editor.labels, *editor.relations, *editor.rules):
        for bound in form:
            value = bound.value()
            if value is True:
                value = "on"
            if value not in (None, False, "") and value != []:
                data[bound.html_name] = bound.field.prepare_value(value)
    for rows in (editor.labels, editor.relations, editor.rules):
        count = len(rows.forms)
        data |= {f"{rows.prefix}-TOTAL_FORMS": count, f"{rows.prefix}-INITIAL_FORMS": count}
    return {name: value for name, value in (data | changes).items() if value is not None}


def reasons(page: Any) -> dict[str, str]:
    """Name of a field -> the reason shown beside it."""
    found = {}
    wrong = r'schema-wrong">(.*?)<p class="schema-error" role="alert">(.*?)</p>'
    for field, reason in re.findall(wrong, page.content.decode(), re.DOTALL):
        name = re.search(r'name="([^"]+)"', field)
        assert name
        found[name[1]] = reason
    return found


def test_saving_without_a_change_makes_no_version(client, eve, kpis):
    client.force_login(eve)
    page = client.post(address(kpis), filled(kpis, eve, _save="1"), follow=True)
    assert b"nothing that makes a new version has changed" in page.content
    assert kpis.versions.count() == 1


def test_a_changed_label_is_a_new_version_of_the_one_who_changed_it(client, eve, kpis):
    client.force_login(eve)
    sent = filled(kpis, eve, **{"labels-0-colour": "#112233", "labels-0-examples": "a\n\n b "})
    page = client.post(address(kpis), {**sent, "_continue": "1"})
    assert page.status_code == 302
    kpis.refresh_from_db()
    assert (kpis.version, kpis.current.created_by) == (2, "eve")
    label = kpis.read().labels[0]
    assert (label.colour, label.examples) == ("#112233", ("a", "b"))
    assert kpis.versions.get(number=1).read().labels[0].colour == "#1d4ed8"
    page = client.get(f"/admin/extraction/schemaversion/{kpis.current.pk}/change/")
    assert page.status_code == 200


def test_a_renamed_label_keeps_its_rules_and_its_threshold(client, eve, kpis):
    client.force_login(eve)
    sent = filled(kpis, eve, **{"labels-4-name": "current", "labels-4-deliver": "0.7"})
    client.post(address(kpis), sent)
    kpis.refresh_from_db()
    spec = kpis.read()
    assert "cy" not in spec.label_names
    assert spec.rules[0].head[0] == "current"
    assert spec.deliver_at("current") == 0.7


def test_rows_are_added_and_removed(client, eve, kpis):
    client.force_login(eve)
    row = {"name": "guidance", "group": "outlook", "colour": "#123456"}
    new = {f"labels-11-{name}": value for name, value in row.items()}
    rule = {"name": "new", "relation": "value of", "head": ["guidance"], "tail": ["kpi"]}
    rule |= {"choose": "nearest", "same": "sentence", "arity": "one_of_each", "priority": "5"}
    new |= {f"rules-15-{name}": value for name, value in rule.items()}
    new |= {"rules-15-confidence": "1", "labels-TOTAL_FORMS": 13, "rules-TOTAL_FORMS": 17}
    # The last row of each stays blank, as it does when one was added in vain.
    new |= {"labels-12-group": "main", "labels-12-colour": "#64748b"}
    blank = {"choose": "nearest", "same": "sentence", "arity": "many_to_one", "active": "on"}
    new |= {f"rules-16-{name}": value for name, value in blank.items()}
    new |= {"rules-16-priority": "100", "rules-16-confidence": "1.0", "rules-1-DELETE": "on"}
    page = client.post(address(kpis), filled(kpis, eve, **new))
    assert page.status_code == 302, reasons(page)
    kpis.refresh_from_db()
    spec = kpis.read()
    assert spec.groups["outlook"] == ("guidance",)
    assert len(spec.rules) == 15
    assert spec.rules[-1].active is False


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"rules-0-same": "sentence"}, "rules-0-same", "needs the same table row"),
        ({"rules-1-head": None}, "rules-1-head", "at least one label"),
        (
            {"rules-11-head": ["kpi"], "rules-11-tail": ["thereof"]},
            "rules-11-tail",
            "circle: kpi → thereof → kpi",
        ),
        ({"rules-1-arity": "one_to_one"}, "rules-1-arity", "one arity"),
        ({"rules-1-name": "$5 X"}, "rules-4-name", "Two rules"),
        ({"rules-1-priority": "0"}, "rules-1-priority", "greater than or equal to 1"),
        ({"rules-1-max_distance": "far"}, "rules-1-max_distance", "whole number"),
        ({"rules-1-choose": "best"}, "rules-1-choose", "not one of the available choices"),
        ({"labels-1-name": "kpi"}, "labels-1-name", "Two labels"),
        ({"labels-1-colour": "blue"}, "labels-1-colour", "no colour"),
        ({"labels-4-DELETE": "on"}, "rules-0-head", "There is no label &quot;cy&quot;"),
        ({"labels-1-deliver": "2"}, "labels-1-deliver", "less than or equal to 1"),
        ({"keep": "0.95"}, "keep", "keep is at most deliver"),
        ({"companies": "Nobody Corp"}, "companies", "No company is called"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(client, eve, kpis, changes, field, reason):
    client.force_login(eve)
    page = client.post(address(kpis), filled(kpis, eve, **changes))
    assert page.status_code == 200
    assert reason in reasons(page)[field]
    assert Schema.objects.get(pk=kpis.pk).version == 1


def test_a_required_relation_without_a_rule_is_refused(client, eve, kpis):
    client.force_login(eve)
    off = {f"rules-{number}-active": None for number in range(10)}
    page = client.post(address(kpis), filled(kpis, eve, **off))
    assert "No active rule" in reasons(page)["relations-0-required"]


def test_a_new_schema_is_made_but_not_over_another(client, eve, kpis):
    client.force_login(eve)
    sent = filled(None, eve, title="Leases", **{"labels-0-name": "rent"})
    page = client.post("/admin/extraction/schema/add/", {**sent, "name": "kpis"})
    assert "already" in reasons(page)["name"]
    page = client.post("/admin/extraction/schema/add/", {**sent, "name": "leases"})
    assert page.status_code == 302
    made = Schema.objects.get(name="leases")
    assert (made.version, made.read().label_names, made.active) == (1, ("rent",), True)
    assert kpis.versions.count() == 1


def test_nobody_undoes_what_another_saved_meanwhile(client, eve, kpis):
    client.force_login(eve)
    stale = filled(kpis, eve, **{"labels-0-colour": "#000000"})
    client.post(address(kpis), filled(kpis, eve, **{"labels-0-colour": "#ffffff"}))
    page = client.post(address(kpis), stale)
    assert b"eve saved version 2 meanwhile" in page.content
    assert SchemaVersion.objects.filter(schema=kpis).count() == 2


def test_switching_it_off_is_no_version(client, eve, kpis):
    client.force_login(eve)
    client.post(address(kpis), filled(kpis, eve, active=None))
    kpis.refresh_from_db()
    assert (kpis.active, kpis.version) == (False, 1)
    assert kpis not in Schema.objects.active()


def _document(source: Source, text: str, company: Company | None = None) -> Document:
    return Document.objects.create(
        source=source,
        company=company,
        title=text[:20],
        file=ContentFile(text.encode(), "a.txt"),
        file_name="a.txt",
        file_sha256=str(hash(text)),
        text_sha256=str(hash(text)),
        text=text,
        kind="annual_report",
        parsed_at=timezone.now(),
        searchable_at=timezone.now(),
    )


@pytest.fixture
def hidden() -> Source:
    """A source of a group that Eve is not in."""
    source = Source.objects.create(name="Deal room", kind=Source.Kind.FOLDER)
    source.groups.add(Group.objects.create(name="deal team"))
    return source


def test_a_hidden_source_and_company_are_not_named_but_stay_chosen(client, eve, kpis, hidden):
    secret = Company.objects.create(name="Target Co", key="target")
    known = Company.objects.create(name="Known Co", key="known", ticker="KNO")
    opened = Source.objects.create(name="Open", kind=Source.Kind.FOLDER)
    held = _document(hidden, "Revenue was 5.", secret)
    other = _document(opened, "Revenue was 6.", known)
    scope = {"kinds": [], "sources": [hidden.pk], "companies": [secret.pk]}
    Schema.objects.filter(pk=kpis.pk).update(spec={**kpis.spec, "applies_to": scope})
    kpis.refresh_from_db()
    assert list(kpis.documents()) == [held]
    client.force_login(eve)
    page = client.get(address(kpis))
    assert b"Deal room" not in page.content
    assert b"Target Co" not in page.content
    sent = filled(kpis, eve, sources=[str(opened.pk)], companies="kno")
    assert client.post(address(kpis), sent).status_code == 302
    kpis.refresh_from_db()
    assert kpis.spec["applies_to"]["sources"] == sorted([hidden.pk, opened.pk])
    assert kpis.spec["applies_to"]["companies"] == sorted([secret.pk, known.pk])
    assert set(kpis.documents()) == {held, other}
    page = client.post(address(kpis), filled(kpis, eve, companies="Target Co"))
    assert "No company is called" in reasons(page)["companies"]
    page = client.post(address(kpis), filled(kpis, eve, sources=[str(hidden.pk)]))
    assert "not one of the available choices" in reasons(page)["sources"]


def test_only_documents_that_it_applies_to_are_its_documents(kpis):
    source = Source.objects.create(name="Open", kind=Source.Kind.FOLDER)
    report = _document(source, "Revenue was 5.")
    _document(source, "News of the day.").__class__.objects.filter(title__startswith="News").update(
        kind="news"
    )
    waiting = _document(source, "Not there yet.")
    Document.objects.filter(pk=waiting.pk).update(searchable_at=None)
    assert list(kpis.documents()) == [report]


def test_analysts_do_not_come_in(client, alice, kpis):
    client.force_login(alice)
    assert client.get(address(kpis)).status_code == 302
    assert client.post(address(kpis), {}).status_code == 302


def test_a_marked_text_is_tried_before_saving(client, eve, kpis):
    client.force_login(eve)
    text = "[Key figure: Sales & rent] were $[cy: 5] million. <b>[cy: 7]</b>"
    sent = filled(kpis, eve, **{"trial-text": text, "_try": "1", "rules-3-name": "my rule"})
    page = client.post(address(kpis), sent)
    html = page.content.decode()
    assert "my rule" in html
    assert "Sales &amp; rent were $5" in html
    assert "<b>" not in html.partition('id="try"')[2]
    assert "Without a relation that is required" in html
    assert Schema.objects.get(pk=kpis.pk).version == 1


@pytest.mark.parametrize("text", ["[kpi: Sales were [cy: 5]", "[kpi:] is nothing"])
def test_marks_that_cannot_be_read_are_said(client, eve, kpis, text):
    client.force_login(eve)
    page = client.post(address(kpis), filled(kpis, eve, _try="1", **{"trial-text": text}))
    assert reasons(page)["trial-text"]


def test_a_passage_of_a_document_is_tried(client, eve, kpis, hidden):
    source = Source.objects.create(name="Open", kind=Source.Kind.FOLDER)
    document = _document(source, "Before. Advertising costs were $5 million in 2020. After that.")
    client.force_login(eve)
    trial = {"_try": "1", "trial-document": f"/documents/{document.public_id}/"}
    sent = filled(kpis, eve, **trial, **{"trial-words": "advertising  COSTS"})
    page = client.post(address(kpis), sent)
    assert "no tagger has read it" in page.content.decode()
    assert page.context["trial"]["text"].value() == (
        "Advertising costs were $5 million in 2020. After that."
    )
    closed = _document(hidden, "Nobody knows.")
    answers = []
    for wanted in (closed.public_id, "00000000-0000-4000-8000-000000000000", "x"):
        sent = filled(kpis, eve, **{"_try": "1", "trial-document": str(wanted)})
        answers.append(reasons(client.post(address(kpis), sent))["trial-document"])
    assert len(set(answers)) == 1
    for odd in ({"trial-page": "9"}, {"trial-words": "not there"}):
        page = client.post(address(kpis), filled(kpis, eve, **trial, **odd))
        assert "trial-document" in reasons(page)


def test_marks_are_read_as_they_are_written():
    spec = bundled("kpis")
    marked = "a [1] [kpi: Net [attr: adjusted] sales (see [2])] were [cy: 5]]."
    text, spans = read_marks(marked, spec)
    assert text == "a [1] Net adjusted sales (see [2]) were 5]."
    assert [(span.label, text[span.start : span.end]) for span in spans] == [
        ("kpi", "Net adjusted sales (see [2])"),
        ("attr", "adjusted"),
        ("cy", "5"),
    ]
    assert write_marks(text, spans, 0, len(text)) == marked
    assert write_marks(text, spans, 38, len(text)) == "e [cy: 5]]."
    assert read_marks("[nothing: x] [kpi of]", spec) == ("[nothing: x] [kpi of]", [])
    with pytest.raises(BadMarks):
        read_marks("[cy: 5", spec)
