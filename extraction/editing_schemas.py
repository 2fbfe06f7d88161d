"""An expert's forms as a schema and back; reasons against it go to the field they are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict

from extraction.changing_schemas import save_schema
from extraction.models import Schema, SchemaVersion
from extraction.schema import SchemaSpec, read
from extraction.schema_forms import (
    LabelRows,
    RelationRows,
    RuleRows,
    SchemaForm,
    kept_rows,
    plain,
    visible_companies,
)
from extraction.schema_problems import Problem, problems
from ingestion.querysets import User


@dataclass(slots=True)
class Editor:
    """The forms of one schema; `spec` is what they say once `is_valid` was true."""

    form: SchemaForm
    labels: Any
    relations: Any
    rules: Any
    spec: SchemaSpec | None = None

    @property
    def media(self) -> forms.Media:
        return self.form.media

    def is_valid(self) -> bool:
        """Whether it is a schema that can work; if not, every reason is beside its field."""
        # All of them, so that all reasons come at once.
        valid = [part.is_valid() for part in (self.form, self.labels, self.relations, self.rules)]
        if not all(valid):
            return False
        mapping = self.mapping()
        found = problems(mapping)
        for problem in found:
            self._place(problem)
        if not found:
            self.spec = read(mapping)
        return not found

    def mapping(self) -> dict[str, Any]:
        """What valid forms say, as a schema is written down."""
        labels = kept_rows(self.labels)
        # A label that was renamed keeps its rules.
        renamed = {
            form.cleaned_data["was"]: form.cleaned_data["name"]
            for form in labels
            if form.cleaned_data["was"]
        }
        rules = []
        for form in kept_rows(self.rules):
            row = plain(form)
            for side in ("head", "tail"):
                row[side] = [renamed.get(name, name) for name in row[side]]
            rules.append(row)
        whole = self.form.cleaned_data
        return {
            **{name: whole[name] for name in ("name", "title", "description", "credit")},
            "labels": [plain(form, ("was", "deliver")) for form in labels],
            "relations": [plain(form) for form in kept_rows(self.relations)],
            "rules": rules,
            "thresholds": {
                "deliver": whole["deliver"],
                "keep": whole["keep"],
                "labels": {
                    form.cleaned_data["name"]: form.cleaned_data["deliver"]
                    for form in labels
                    if form.cleaned_data["deliver"] is not None
                },
            },
            "applies_to": {name: whole[name] for name in ("kinds", "sources", "companies")},
        }

    def _place(self, problem: Problem) -> None:
        rows = {"labels": self.labels, "relations": self.relations, "rules": self.rules}
        form: forms.Form = self.form
        if problem.part in rows and problem.index is not None:
            form = kept_rows(rows[problem.part])[problem.index]
        field = problem.field if problem.field in form.fields else None
        form.add_error(field, problem.reason)


def editor_of(schema: Schema | None, user: User, data: QueryDict | None = None) -> Editor:
    """The forms as they were sent, else as the schema is, else for a new one."""
    spec: dict[str, Any] = schema.spec if schema else {}
    initial = _initial(schema, user)
    form = SchemaForm(data, initial=initial["schema"], user=user, schema=schema)
    labels = LabelRows(data, initial=initial["labels"], prefix="labels")
    relations = RelationRows(data, initial=initial["relations"], prefix="relations")
    choices = _choices(data, spec)
    rules = RuleRows(
        data, initial=initial["rules"], prefix="rules", form_kwargs={"labels": choices}
    )
    return Editor(form, labels, relations, rules)


def save(editor: Editor, user: User) -> SchemaVersion:
    """The version that the forms say, which must be valid; the same one if nothing changed."""
    if editor.spec is None:
        raise ValueError("The forms were not found valid.")
    name = getattr(user, "username", "")
    version = save_schema(editor.mapping(), by=name or "unknown")
    active = editor.form.cleaned_data["active"]
    Schema.objects.filter(pk=version.schema_id).exclude(active=active).update(active=active)
    return version


def _initial(schema: Schema | None, user: User) -> dict[str, Any]:
    if schema is None:
        return {"schema": {}, "labels": [{}], "relations": [], "rules": []}
    spec: Mapping[str, Any] = schema.spec
    thresholds = spec["thresholds"]
    scope = spec["applies_to"]
    companies = visible_companies(user).filter(pk__in=scope["companies"])
    return {
        "schema": {
            **{name: spec[name] for name in ("name", "title", "description", "credit")},
            "active": schema.active,
            "version": schema.version,
            "deliver": thresholds["deliver"],
            "keep": thresholds["keep"],
            "kinds": scope["kinds"],
            "sources": [str(pk) for pk in scope["sources"]],
            "companies": [company.name for company in companies],
        },
        "labels": [
            {**row, "was": row["name"], "deliver": thresholds["labels"].get(row["name"])}
            for row in spec["labels"]
        ],
        "relations": spec["relations"],
        "rules": spec["rules"],
    }


def _choices(data: QueryDict | None, spec: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The labels that a rule can be about: those saved, and those that were just typed in.

    A saved one goes by the name that it had, so that renaming it leaves its rules as they are.
    """
    shown = {row["name"]: row.get("title") or row["name"] for row in spec.get("labels", ())}
    if data is None:
        return list(shown.items())
    for key, value in data.items():
        if key.startswith("labels-") and key.endswith("-name") and "__prefix__" not in key:
            prefix = key.removesuffix("name")
            name = str(value).strip()
            if name and not data.get(f"{prefix}was"):
                shown.setdefault(name, str(data.get(f"{prefix}title", "")).strip() or name)
    return list(shown.items())
