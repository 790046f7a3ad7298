"""A range of time that a program asks for by `?from=&to=&order=`, and its pages."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

from households import clock

PLUS_READ_AS_SPACE = re.compile(r" (\d\d:?\d\d)$")


class TimePages(CursorPagination):
    """Rows of a time range, `?order=oldest` (default) or `newest` first, from page to page."""

    page_size = 1000
    max_page_size = 5000
    page_size_query_param = "page_size"
    column = "at"

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> tuple[str, ...]:
        order = request.query_params.get("order", "oldest")
        if order not in ("oldest", "newest"):
            raise ValidationError({"order": [_("只能是 oldest 或 newest")]})
        return (self.column if order == "oldest" else f"-{self.column}",)

    def decode_cursor(self, request: Request) -> Any:
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None and not _moment(str(cursor.position)):
            raise NotFound(self.invalid_cursor_message)
        return cursor


class HourPages(TimePages):
    column = "hour"


def _moment(text: str) -> datetime | None:
    """The moment that a cursor of ours names, always with its zone; else None."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None


def _asked_moment(request: Request, name: str, default: datetime) -> datetime:
    """ISO 8601; without a zone it is Shanghai's. A "+" that an address turned into a space is one.

    Raises ValidationError naming the parameter.
    """
    text = request.query_params.get(name, "")
    if not text:
        return default
    try:
        return serializers.DateTimeField().to_internal_value(
            PLUS_READ_AS_SPACE.sub(r"+\1", text.strip())
        )
    except ValidationError as mistake:
        raise ValidationError({name: mistake.detail}) from None


def time_range(
    request: Request, default: timedelta, longest: timedelta
) -> tuple[datetime, datetime]:
    """`?from=&to=`: from that moment until before this one; by default the last `default`."""
    end = _asked_moment(request, "to", clock.now())
    start = _asked_moment(request, "from", _before(end, default))
    if start > end:
        raise ValidationError({"from": [_("from 晚于 to")]})
    if end - start > longest:
        days = {"days": longest.days}
        raise ValidationError({"from": [_("一次至多查询 %(days)d 天") % days]})
    return start, end


def _before(moment: datetime, span: timedelta) -> datetime:
    """`span` earlier, or the moment itself in the first days that a calendar has."""
    try:
        return moment - span
    except OverflowError:
        return moment


RANGE_PARAMETERS = [
    OpenApiParameter("from", OpenApiTypes.DATETIME, description="from this moment on"),
    OpenApiParameter("to", OpenApiTypes.DATETIME, description="until before this moment"),
    OpenApiParameter("order", str, enum=["oldest", "newest"], default="oldest"),
]
