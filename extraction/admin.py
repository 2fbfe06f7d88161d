"""The admin of schemas: labels and rules row by row, with a trial of what the rules make of a text.

Neither forms nor trial name a source, company or document that the person may not see.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from docintel.admin import ReadOnlyAdmin
from extraction.editing_schemas import Editor, editor_of, save
from extraction.models import Schema, SchemaVersion
from extraction.picking_passages import NoPassage, Passage, pick
from extraction.previewing import BadMarks, Preview, preview, read_marks, write_marks


class TrialForm(forms.Form):
    """A text to try the rules on: pasted and marked, or a passage of a document."""

    text = forms.CharField(
        required=False,
        max_length=20_000,
        strip=False,
        widget=UnfoldAdminTextareaWidget({"rows": 5}),
        help_text="Mark spans by name: [kpi: Sales] were [cy: 5].",
    )
    document = forms.CharField(
        required=False,
        label="or the address of a document's page",
        widget=UnfoldAdminTextInputWidget(),
    )
    page = forms.IntegerField(required=False, min_value=1, widget=UnfoldAdminIntegerFieldWidget())
    words = forms.CharField(
        required=False, label="from the words", widget=UnfoldAdminTextInputWidget()
    )


@admin.register(Schema)
class SchemaAdmin(ModelAdmin):
    """Schemas; every save that changes something is a new version."""

    list_display = ("__str__", "name", "version", "active", "changed_at")
    list_filter = ("active",)
    search_fields = ("name", "title")

    def has_delete_permission(self, *_: Any) -> bool:
        # Results name its versions; one that is not wanted any more is made inactive.
        return False

    def add_view(self, request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._edit(request, None)

    def change_view(self, request: HttpRequest, object_id: str, *_: Any, **__: Any) -> HttpResponse:
        schema = self.get_object(request, object_id)
        if not self.has_view_or_change_permission(request, schema):
            raise PermissionDenied
        if schema is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return self._edit(request, schema)

    def _edit(self, request: HttpRequest, schema: Any) -> HttpResponse:
        may_change = schema is None or self.has_change_permission(request, schema)
        if request.method == "POST" and not may_change:
            raise PermissionDenied
        editor = editor_of(schema, request.user, request.POST or None)
        trial = TrialForm(request.POST or None, prefix="trial")
        tried: dict[str, Any] = {}
        if request.method == "POST" and editor.is_valid():
            if "_try" not in request.POST:
                return self._saved(request, schema, editor)
            tried = _try(request, editor, trial)
        context = {
            **self.admin_site.each_context(request),
            **tried,
            "title": f"Change {schema}" if schema else "Add a schema",
            "opts": self.opts,
            "schema": schema,
            "original": schema,
            "editor": editor,
            "trial": tried.get("trial", trial),
            "may_change": may_change,
            "versions": schema.versions.order_by("-number")[:10] if schema else (),
        }
        return TemplateResponse(request, "admin/extraction/schema/edit.html", context)

    def _saved(self, request: HttpRequest, schema: Any, editor: Editor) -> HttpResponse:
        before = schema.version if schema else 0
        version = save(editor, request.user)
        row = version.schema
        if version.number == before:
            messages.info(request, f"{row}: nothing that makes a new version has changed.")
        else:
            messages.success(request, f"{row} is saved as version {version.number}.")
            record = self.log_change if schema else self.log_addition
            record(request, row, f"Saved as version {version.number}.")
        if "_continue" in request.POST:
            address = reverse("admin:extraction_schema_change", args=[row.pk])
        else:
            address = reverse("admin:extraction_schema_changelist")
        return HttpResponseRedirect(address)


@admin.register(SchemaVersion)
class SchemaVersionAdmin(ReadOnlyAdmin):
    """What a schema once said; every result names the version that it was found by."""

    list_display = ("__str__", "number", "created_by", "created_at")
    list_filter = ("schema",)
    fields = ("schema", "number", "created_by", "created_at", "result_digest", "spec")


def _try(request: HttpRequest, editor: Editor, trial: TrialForm) -> dict[str, Any]:
    """What the page shows of a trial: `preview`, or the reason beside the trial's field."""
    if editor.spec is None or not trial.is_valid():
        return {}
    given = trial.cleaned_data
    try:
        if given["document"].strip():
            passage = pick(
                request.user,
                given["document"],
                given["page"],
                given["words"],
                editor.spec.name,
            )
            return _tried_on(passage, editor, trial)
        text, spans = read_marks(given["text"].replace("\r\n", "\n"), editor.spec)
    except NoPassage as error:
        trial.add_error("document", str(error))
    except BadMarks as error:
        trial.add_error("text", str(error))
    else:
        return {"preview": preview(text, spans, editor.spec)}
    return {}


def _tried_on(passage: Passage, editor: Editor, trial: TrialForm) -> dict[str, Any]:
    """A passage with the tagger's spans, which are also written as marks to go on with."""
    spec = editor.spec
    if spec is None:
        return {}
    text = passage.document.text
    inside = [
        span for span in passage.spans if passage.start <= span.start and span.end <= passage.end
    ]
    part = (passage.start, passage.end)
    shown: Preview = preview(text, inside, spec, layout=passage.layout, part=part)
    marked = write_marks(text, inside, *part)
    data = {**trial.cleaned_data, "text": marked, "document": "", "page": None, "words": ""}
    return {
        "preview": shown,
        "passage": passage,
        "read_by_tagger": bool(passage.spans),
        "trial": TrialForm(initial=data, prefix="trial"),
    }
