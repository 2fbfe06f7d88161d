"""Signs API requests in by `Authorization: Bearer dik_…`; a read-only token never writes.

Only the token's SHA-256 is looked up, so that no timing of a comparison says anything.
"""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, DjangoModelPermissions
from rest_framework.request import Request

from docintel.models import ApiToken

# One message for unknown, expired and revoked tokens and for people who left.
REFUSED = "Invalid, expired or revoked token."
READ_ONLY = "This token may only read; issue one that may write to push documents."
USE_NOTED_EVERY = timedelta(minutes=1)


class TokenAuthentication(BaseAuthentication):
    """The person a bearer token belongs to; None when the request carries no bearer token."""

    keyword = "Bearer"
    reads_by_post = False

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """401 for a token that does not count, 403 for an unsafe method with a read-only one."""
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        if len(parts) != 2:
            raise AuthenticationFailed(REFUSED)
        token = find(parts[1].decode("latin-1"))
        if token is None:
            raise AuthenticationFailed(REFUSED)
        writes = request.method not in SAFE_METHODS and not self.reads_by_post
        if writes and not token.may_write:
            raise PermissionDenied(READ_ONLY)
        note_use(token)
        return token.user, token

    def authenticate_header(self, _: Request) -> str:
        """What makes missing credentials a 401."""
        return f'{self.keyword} realm="docintel"'


class ReadingTokenAuthentication(TokenAuthentication):
    """For a view whose POST changes no document: a read-only token may post there."""

    reads_by_post = True


class TokenScheme(OpenApiAuthenticationExtension):
    """How the API's description of itself tells clients to sign in."""

    target_class = TokenAuthentication
    match_subclasses = True
    name = "token"

    def get_security_definition(self, _: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token that begins with dik_"}


class ViewOrAdd(DjangoModelPermissions):
    """Reading needs `view_…` of the view's model, posting `add_…`; anonymous people get a 401."""

    perms_map = {
        **{method: ["%(app_label)s.view_%(model_name)s"] for method in SAFE_METHODS},
        "POST": ["%(app_label)s.add_%(model_name)s"],
        "PUT": ["%(app_label)s.change_%(model_name)s"],
        "PATCH": ["%(app_label)s.change_%(model_name)s"],
        "DELETE": ["%(app_label)s.delete_%(model_name)s"],
    }


class Reads(ViewOrAdd):
    """For a view that changes no document, whatever the method: whoever may read may."""

    perms_map = {
        **ViewOrAdd.perms_map,
        "POST": ViewOrAdd.perms_map["GET"],
        "PATCH": ViewOrAdd.perms_map["GET"],
        "DELETE": ViewOrAdd.perms_map["GET"],
    }


def find(token: str) -> ApiToken | None:
    """The valid row of an active person's token, else None."""
    if not token.startswith(ApiToken.PREFIX):
        return None
    digest = ApiToken.digest_of(token)
    row = ApiToken.objects.select_related("user").filter(digest=digest).first()
    return row if row is not None and row.is_valid() and row.user.is_active else None


def note_use(token: ApiToken) -> None:
    """Write when it was last used, at most once a minute however busy the integrator is."""
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at >= USE_NOTED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
