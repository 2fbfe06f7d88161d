"""What the page posts with a question, besides its filters."""

from __future__ import annotations

from typing import Any

from django import forms

MOST_REMOVED = 60
LONGEST_KEY = 200


class AskForm(forms.Form):
    """`removed` is read as a list; its values are keys of chips, unknown ones do no harm."""

    q = forms.CharField(required=False, strip=False)
    as_of = forms.DateField(required=False)
    again = forms.BooleanField(required=False)
    compose = forms.BooleanField(required=False)

    def messages(self) -> list[str]:
        return [str(message) for listed in self.errors.values() for message in listed]

    def options(self) -> dict[str, Any]:
        """Keyword arguments of `asking.ask`; call after the form was found valid."""
        listed = self.data.getlist("removed") if hasattr(self.data, "getlist") else []
        return {
            "as_of": self.cleaned_data["as_of"],
            "again": self.cleaned_data["again"],
            "compose_anyway": self.cleaned_data["compose"],
            "removed": tuple(key[:LONGEST_KEY] for key in listed[:MOST_REMOVED]),
        }
