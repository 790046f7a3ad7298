"""Units with their newest values, readings, hours and commands for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from devices.models import Gateway, Unit
from households import clock, lists
from households.models import Household
from households.requests import SignedIn
from telemetry.filters import UnitFilter
from telemetry.models import COLUMNS, Reading, UnitHour, UnitState
from telemetry.ranges import RANGE_PARAMETERS, HourPages, TimePages, time_range
from telemetry.unit_list import household_of, seen_by, state_of

REST = ("others", "not_good")
READINGS_RANGE = timedelta(days=2)
HOURS_RANGE = timedelta(days=366)


# What a unit looks like


class GatewaySerializer(serializers.ModelSerializer[Gateway]):
    class Meta:
        model = Gateway
        fields: ClassVar = ["id", "kind", "transmitter", "trusted"]


class PlaceSerializer(serializers.ModelSerializer[Household]):
    """Where a unit stands: the household by its number, never by a person."""

    town = serializers.CharField(source="area.town.name", default=None, allow_null=True)
    area_name = serializers.CharField(source="area.name")

    class Meta:
        model = Household
        fields: ClassVar = ["number", "town", "area", "area_name"]


class ValueSerializer(serializers.Serializer[dict[str, Any]]):
    """One point: `value` is null unless its quality is good; `good` is the last good value."""

    value = serializers.JSONField()
    quality = serializers.CharField()
    raw = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField()
    good = serializers.JSONField()
    good_at = serializers.DateTimeField(allow_null=True)


@extend_schema_field(serializers.DictField(child=ValueSerializer()))
class ValuesField(serializers.JSONField):
    """Values by point."""


class StateSerializer(serializers.ModelSerializer[UnitState]):
    """The newest of a unit. `state`: online, in_fault (online with a fault of its own), silent."""

    state = serializers.SerializerMethodField()
    values = ValuesField(source="entries", read_only=True)

    class Meta:
        model = UnitState
        fields: ClassVar = [
            "state",
            "answered_at",
            "polled_at",
            "interval_s",
            "missed_cause",
            "fault_active",
            "values",
        ]

    @extend_schema_field(serializers.ChoiceField(choices=["online", "in_fault", "silent"]))
    def get_state(self, state: UnitState) -> str:
        if not state.is_online:
            return "silent"
        return "in_fault" if state.fault_active else "online"


class UnitSerializer(serializers.ModelSerializer[Unit]):
    """A heating unit, where it stands, and its newest values (null before the first poll)."""

    maker = serializers.CharField(source="model.supplier.name")
    model = serializers.CharField(source="model.code")
    kind = serializers.CharField(source="model.kind")
    medium = serializers.CharField(source="model.medium")
    gateway = GatewaySerializer()
    household = serializers.SerializerMethodField()
    state = serializers.SerializerMethodField()

    class Meta:
        model = Unit
        fields: ClassVar = [
            "id",
            "factory_number",
            "network_address",
            "address",
            "module",
            "maker",
            "model",
            "kind",
            "medium",
            "in_service_since",
            "gateway",
            "household",
            "state",
        ]

    @extend_schema_field(PlaceSerializer(allow_null=True))
    def get_household(self, unit: Unit) -> dict[str, Any] | None:
        household = household_of(unit)
        return PlaceSerializer(household).data if household else None

    @extend_schema_field(StateSerializer(allow_null=True))
    def get_state(self, unit: Unit) -> dict[str, Any] | None:
        state = state_of(unit)
        return StateSerializer(state).data if state else None


class ReadingSerializer(serializers.ModelSerializer[Reading]):
    """One poll: a point that was not good is null here and named in `not_good`."""

    others = serializers.DictField(allow_null=True)
    not_good = serializers.DictField(
        child=serializers.ListField(), allow_null=True, help_text="{point: [quality, raw]}"
    )

    class Meta:
        model = Reading
        fields: ClassVar = ["at", *COLUMNS, "others", "not_good"]


class HourSerializer(serializers.ModelSerializer[UnitHour]):
    """One hour of a unit: polls due, stored and missed by cause, and what it measured."""

    missed = serializers.DictField(child=serializers.IntegerField())

    class Meta:
        model = UnitHour
        fields: ClassVar = [
            "hour",
            "interval_s",
            "due",
            "stored",
            "missed",
            "on_seconds",
            *(f"{name}_{how}" for name in ("supply", "indoor") for how in ("min", "avg", "max")),
            "return_avg",
            "outdoor_min",
            "outdoor_avg",
            "energy_kwh",
        ]


class Csv(BaseRenderer):
    """Stands for `Accept: text/csv` and `?output=csv`; the view writes the rows itself."""

    media_type = "text/csv"
    format = "csv"


class UnitViewSet(ReadOnlyModelViewSet[Unit]):
    """Heating units that you may see, with their newest values."""

    serializer_class = UnitSerializer
    read_scopes = ("units:read",)
    filterset_class = UnitFilter
    queryset = Unit.objects.all()
    lookup_value_regex = r"\d+"

    def get_queryset(self) -> QuerySet[Unit]:
        return seen_by(cast(SignedIn, self.request)).order_by("pk")

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """A refusal is JSON, also for who asked for CSV."""
        if getattr(response, "exception", False) and isinstance(
            getattr(request, "accepted_renderer", None), Csv
        ):
            request.accepted_renderer = JSONRenderer()
            request.accepted_media_type = JSONRenderer.media_type
        return super().finalize_response(request, response, *args, **kwargs)

    @extend_schema(
        parameters=RANGE_PARAMETERS,
        responses={
            (200, "application/json"): ReadingSerializer(many=True),
            (200, "text/csv"): OpenApiTypes.STR,
        },
    )
    @action(
        detail=True,
        read_scopes=("readings:read",),
        pagination_class=TimePages,
        renderer_classes=[JSONRenderer, Csv],
        filterset_class=None,
    )
    def readings(self, request: Request, pk: str) -> HttpResponseBase:
        """Raw readings of at most two days (the last one by default), by page or as CSV."""
        unit = self.get_object()
        start, end = time_range(request, timedelta(days=1), READINGS_RANGE)
        rows = Reading.objects.filter(unit_id=unit.pk, at__gte=start, at__lt=end)
        if isinstance(request.accepted_renderer, Csv):
            rows = rows.order_by(*TimePages().get_ordering(request, rows, self))
            return lists.csv_of(f"readings-{unit.pk}", ["at", *COLUMNS, *REST], _csv_rows(rows))
        return self._paged(rows, ReadingSerializer)

    @extend_schema(parameters=RANGE_PARAMETERS, responses=HourSerializer(many=True))
    @action(
        detail=True,
        read_scopes=("readings:read",),
        pagination_class=HourPages,
        filterset_class=None,
    )
    def hours(self, request: Request, pk: str) -> Response:
        """Hours of at most 366 days (the last seven by default), by page."""
        unit = self.get_object()
        start, end = time_range(request, timedelta(days=7), HOURS_RANGE)
        rows = UnitHour.objects.filter(unit=unit, hour__gte=start, hour__lt=end)
        return self._paged(rows, HourSerializer)

    def _paged(
        self, rows: QuerySet[Any], serializer: type[serializers.BaseSerializer[Any]]
    ) -> Response:
        page: Any = self.paginate_queryset(rows)
        return self.get_paginated_response(serializer(page, many=True).data)


def _csv_rows(rows: QuerySet[Reading]) -> Iterator[list[object]]:
    for at, *values in rows.values_list("at", *COLUMNS, *REST).iterator(chunk_size=2000):
        texts = [
            json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
            for value in values
        ]
        yield [at.astimezone(clock.SHANGHAI).isoformat(), *texts]
