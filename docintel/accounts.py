"""Create the first people, one per group, each with a random password that is returned once."""

from __future__ import annotations

import secrets

from django.contrib.auth.models import Group, User
from django.db import transaction

from docintel.groups import PERMISSIONS, STAFF_GROUPS


@transaction.atomic
def create_people() -> dict[str, str]:
    """Name -> password of those who did not exist yet; each is named like its group.

    Passwords are stored as hashes only: what is returned here cannot be shown again.
    """
    created = {}
    for name in PERMISSIONS:
        if User.objects.filter(username=name).exists():
            continue
        password = secrets.token_urlsafe(12)
        user = User.objects.create_user(
            username=name, password=password, is_staff=name in STAFF_GROUPS
        )
        user.groups.add(Group.objects.get(name=name))
        created[name] = password
    return created
