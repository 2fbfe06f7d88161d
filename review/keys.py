"""Which key does what at the desk: the defaults, and what an expert made of them."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth.models import User

from review.desk_tables import DeskKeys

# Action -> its key, as browsers name it, and what it does.
DEFAULTS: dict[str, tuple[str, str]] = {
    "accept": ("a", "Accept, with the boundary as you have set it"),
    "reject": ("x", "Reject"),
    "label": ("l", "Choose a label by name"),
    "add": ("n", "Add a span from the selection, or from the next word"),
    "link": ("r", "Link two spans"),
    "skip": ("s", "Skip, with a reason"),
    "undo": ("u", "Undo the last verdict"),
    "all": ("e", "The same for all with the same words and label"),
    "end_on": ("ArrowRight", "End one word later"),
    "end_back": ("ArrowLeft", "End one word earlier"),
    "start_back": ("ArrowUp", "Begin one word earlier"),
    "start_on": ("ArrowDown", "Begin one word later"),
    "page": ("p", "Page image on or off"),
    "help": ("?", "Show the keys"),
}
# They number labels and spans, end dialogs, or belong to the browser.
RESERVED = {*"0123456789", "Enter", "Escape", "Tab", " ", "Shift", "Control", "Alt", "Meta"}
LONGEST = 12
SHOWN = {"ArrowRight": "→", "ArrowLeft": "←", "ArrowUp": "↑", "ArrowDown": "↓"}


class BadKeys(Exception):
    """These keys cannot be; the message says why."""


def keys_of(user: User) -> dict[str, str]:
    """Action -> key, of this person."""
    row = DeskKeys.objects.filter(user=user).first()
    own = row.keys if row else {}
    return {action: own.get(action, key) for action, (key, _) in DEFAULTS.items()}


def set_keys(user: User, wanted: Mapping[str, str]) -> None:
    """Keep these; an empty one has its default. Raises BadKeys."""
    keys = {
        action: (wanted.get(action, "").strip() or default)[:LONGEST]
        for action, (default, _) in DEFAULTS.items()
    }
    taken: dict[str, str] = {}
    for action, key in keys.items():
        if key in RESERVED:
            raise BadKeys(f"“{key}” is needed for something else.")
        if key in taken:
            raise BadKeys(f"“{key}” would do two things: {taken[key]} and {action}.")
        taken[key] = action
    own = {action: key for action, key in keys.items() if key != DEFAULTS[action][0]}
    DeskKeys.objects.update_or_create(user=user, defaults={"keys": own})


def shown(key: str) -> str:
    """As a button has it."""
    return SHOWN.get(key, key)
