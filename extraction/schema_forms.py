"""The forms by which an expert edits a schema, row by row, and what they say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.db.models import Q
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from extraction.models import Schema
from extraction.schema_problems import ARITY, CHOOSE, SAME
from ingestion.models import Company, Document, Source
from ingestion.querysets import User

_MOST_LABELS, _MOST_RULES = 500, 500


class LinesField(forms.CharField):
    """Texts, one a line; empty lines are none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=UnfoldAdminTextareaWidget({"rows": 2}), required=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, (list, tuple)) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(self.prepare_value(initial)) != self.to_python(data))

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]


class ShareField(forms.FloatField):
    """A number from 0 to 1."""

    def __init__(self, **kwargs: Any) -> None:
        widget = UnfoldAdminIntegerFieldWidget({"step": "0.01", "min": "0", "max": "1"})
        super().__init__(min_value=0, max_value=1, widget=widget, **kwargs)


class SchemaForm(forms.Form):
    """What is said of the schema as a whole."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    name = forms.SlugField(
        max_length=40,
        help_text="By which programs know it: small letters, digits, - and _. It never changes.",
        widget=UnfoldAdminTextInputWidget(),
    )
    title = forms.CharField(max_length=120, widget=UnfoldAdminTextInputWidget())
    description = forms.CharField(
        required=False, widget=UnfoldAdminTextareaWidget({"rows": 2}), strip=True
    )
    credit = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget({"rows": 2}),
        help_text="Whose labels and data these are, and under which licence.",
    )
    active = forms.BooleanField(
        required=False,
        initial=True,
        widget=UnfoldBooleanWidget(),
        label="Documents are read by it",
    )
    deliver = ShareField(
        initial=0.9,
        label="Delivered without review from",
        help_text="A span with at least this confidence, from 0 to 1, needs no expert.",
    )
    keep = ShareField(
        initial=0.5, label="Dropped below", help_text="A span with less confidence is not kept."
    )
    kinds = forms.MultipleChoiceField(
        choices=Document.Kind.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Kinds of documents",
    )
    sources = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label="Sources"
    )
    companies = LinesField(
        label="Companies", help_text="Names or tickers, one a line. Empty: all companies."
    )

    def __init__(self, *args: Any, user: User, schema: Schema | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.schema = schema
        self.kept: Mapping[str, Any] = schema.spec.get("applies_to", {}) if schema else {}
        self.fields["name"].disabled = schema is not None
        sources = Source.objects.visible_to(user).order_by("name")
        self.fields["sources"].choices = [(str(row.pk), row.name) for row in sources]  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if self.schema is None and Schema.objects.filter(name=name).exists():
            raise forms.ValidationError("There is a schema of this name already.")
        return name

    def clean_version(self) -> int | None:
        """Refuses what was written over an older version than the present one."""
        version: int | None = self.cleaned_data["version"]
        if self.schema and version != self.schema.version:
            last = self.schema.current.created_by or "an upgrade"
            raise forms.ValidationError(
                f"{last} saved version {self.schema.version} meanwhile. Open the page anew, so "
                "that you do not undo it."
            )
        return version

    def clean_sources(self) -> list[int]:
        """Those chosen, and those chosen before that this person may not know of."""
        known = {int(value) for value, _ in self.fields["sources"].choices}  # type: ignore[attr-defined]
        hidden = [pk for pk in self.kept.get("sources", ()) if pk not in known]
        return sorted({*map(int, self.cleaned_data["sources"]), *hidden})

    def clean_companies(self) -> list[int]:
        """The ids of the companies named, and those that this person may not know of."""
        known = visible_companies(self.user)
        ids = set()
        for line in self.cleaned_data["companies"]:
            found = list(
                known.filter(Q(name__iexact=line) | Q(ticker__iexact=line)).values_list(
                    "pk", flat=True
                )[:2]
            )
            if len(found) != 1:
                problem = "No company is called" if not found else "Two companies are called"
                raise forms.ValidationError(f"{problem} “{line}”.")
            ids.add(found[0])
        before = set(self.kept.get("companies", ()))
        seen = set(known.filter(pk__in=before).values_list("pk", flat=True))
        return sorted(ids | (before - seen))


class LabelForm(forms.Form):
    """A label; `was` is its name before, by which rules go on to know it."""

    was = forms.CharField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(max_length=80, widget=UnfoldAdminTextInputWidget())
    title = forms.CharField(max_length=80, required=False, widget=UnfoldAdminTextInputWidget())
    description = forms.CharField(required=False, widget=UnfoldAdminTextareaWidget({"rows": 2}))
    colour = forms.CharField(
        max_length=7,
        initial="#64748b",
        widget=forms.TextInput(attrs={"type": "color", "class": "schema-colour"}),
    )
    group = forms.CharField(
        max_length=80,
        initial="main",
        widget=UnfoldAdminTextInputWidget(),
        help_text="Labels of one group never overlap.",
    )
    examples = LinesField(help_text="One a line.")
    deliver = ShareField(required=False, label="Delivered from")


class RelationForm(forms.Form):
    name = forms.CharField(max_length=80, widget=UnfoldAdminTextInputWidget())
    description = forms.CharField(required=False, widget=UnfoldAdminTextInputWidget())
    required = forms.BooleanField(
        required=False,
        widget=UnfoldBooleanWidget(),
        label="Required: a head without it is incomplete",
    )


class RuleForm(forms.Form):
    """A rule in words: of these heads, that tail, chosen so."""

    name = forms.CharField(max_length=80, widget=UnfoldAdminTextInputWidget())
    relation = forms.CharField(max_length=80, widget=UnfoldAdminTextInputWidget())
    head = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label="For each (head)"
    )
    choose = forms.ChoiceField(
        choices=list(CHOOSE.items()),
        initial="nearest",
        widget=UnfoldAdminSelectWidget(),
        label="take",
    )
    tail = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label="of these (tail)"
    )
    same = forms.ChoiceField(
        choices=list(SAME.items()),
        initial="sentence",
        widget=UnfoldAdminSelectWidget(),
        label="in the same",
    )
    max_distance = forms.IntegerField(
        required=False,
        min_value=0,
        widget=UnfoldAdminIntegerFieldWidget(),
        label="at most so many characters away",
    )
    between = LinesField(label="with one of these words between", help_text="One a line.")
    not_between = LinesField(label="with none of these words between", help_text="One a line.")
    unbroken = forms.BooleanField(
        required=False,
        widget=UnfoldBooleanWidget(),
        label="with no other span of the head's label between",
    )
    arity = forms.ChoiceField(
        choices=list(ARITY.items()),
        initial="many_to_one",
        widget=UnfoldAdminSelectWidget(),
        label="How many",
    )
    priority = forms.IntegerField(
        initial=100,
        min_value=1,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="1 goes first; what it takes is taken.",
    )
    confidence = ShareField(
        initial=1.0, help_text="How often it is right when both spans are, 0 to 1."
    )
    active = forms.BooleanField(required=False, initial=True, widget=UnfoldBooleanWidget())

    def __init__(self, *args: Any, labels: Sequence[tuple[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for side in ("head", "tail"):
            self.fields[side].choices = labels  # type: ignore[attr-defined]


LabelRows: Any = forms.formset_factory(
    LabelForm, extra=0, can_delete=True, max_num=_MOST_LABELS, absolute_max=_MOST_LABELS
)
RelationRows: Any = forms.formset_factory(RelationForm, extra=0, can_delete=True, max_num=100)
RuleRows: Any = forms.formset_factory(
    RuleForm, extra=0, can_delete=True, max_num=_MOST_RULES, absolute_max=_MOST_RULES
)


def visible_companies(user: User) -> Any:
    """Companies that this person knows of: those of documents that they may see."""
    documents = Document.objects.visible_to(user).order_by().values("company")
    return Company.objects.filter(pk__in=documents)


def kept_rows(formset: Any) -> list[forms.Form]:
    """The rows that are neither deleted nor left blank, in order."""
    return [
        form for form in formset.forms if form.cleaned_data and not form.cleaned_data.get("DELETE")
    ]


def plain(form: forms.Form, leave_out: Iterable[str] = ()) -> dict[str, Any]:
    """What a row says, without what only the form needs."""
    out = {"DELETE", *leave_out}
    return {name: value for name, value in form.cleaned_data.items() if name not in out}
