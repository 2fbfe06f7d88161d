"""Lists of the API by cursor: a page stays where it is while rows are added before it."""

from __future__ import annotations

from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

LARGEST_PAGE = 100


class Pages(CursorPagination):
    """Newest first; a page holds `page_size` rows, `max_page_size` at most."""

    ordering: tuple[str, ...] = ("-received_at", "-id")
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = LARGEST_PAGE

    def get_page_size(self, request: Request) -> int:
        wanted = request.query_params.get(self.page_size_query_param, str(self.page_size))
        if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 10 and int(wanted)):
            raise ValidationError({"page_size": [f"A number from 1 to {self.max_page_size}."]})
        return min(int(wanted), self.max_page_size)

    @staticmethod
    def is_position(value: str) -> bool:
        """Whether it is a value of the first field of `ordering`."""
        return parse_datetime(value) is not None

    def decode_cursor(self, request: Request) -> Cursor | None:
        """The cursor; 400 for one that this API did not make."""
        try:
            cursor: Cursor | None = super().decode_cursor(request)
            if cursor is None or cursor.position is None:
                return cursor
            if self.is_position(str(cursor.position)):
                return cursor
        except (NotFound, ValueError):
            pass
        raise ValidationError({"cursor": ["Invalid cursor."]})


class NumberedPages(Pages):
    """Rows with nothing but their number to go by, the newest first; 500 at most."""

    ordering = ("-id",)
    page_size = 100
    max_page_size = 500

    @staticmethod
    def is_position(value: str) -> bool:
        return value.isascii() and value.isdigit() and len(value) < 19
