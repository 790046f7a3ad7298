"""Alarms for programs: read, and acknowledged."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from households.models import User
from telemetry import alarm_words
from telemetry.alarm_list import why_not
from telemetry.alarm_rows import AlarmFilter, alarms_of
from telemetry.models import Alarm


class AlarmSerializer(serializers.ModelSerializer[Alarm]):
    """What is wrong with one subject: a `unit`, a `gateway`, an `area` or a `line_worker`.

    `seen_at` is its first sample, `raised_at` when a second one confirmed it, `cleared_at` when it
    was certainly over. `household` is where the unit stands now, by its number.
    """

    severity_label = serializers.CharField(source="get_severity_display")
    sentence = serializers.SerializerMethodField()
    household = serializers.SerializerMethodField()
    acknowledged_by = serializers.CharField(
        source="acknowledged_by.office", default=None, allow_null=True
    )
    evidence = serializers.DictField()

    class Meta:
        model = Alarm
        fields: ClassVar = [
            "id",
            "kind",
            "severity",
            "severity_label",
            "sentence",
            "unit",
            "gateway",
            "area",
            "line_worker",
            "household",
            "seen_at",
            "raised_at",
            "cleared_at",
            "acknowledged_at",
            "acknowledged_by",
            "note",
            "evidence",
        ]

    def get_sentence(self, alarm: Alarm) -> str:
        return alarm_words.sentence(alarm)

    @extend_schema_field(OpenApiTypes.STR)
    def get_household(self, alarm: Alarm) -> str | None:
        records = alarm.unit.installations.all() if alarm.unit else ()
        return next((record.household.number for record in records), None)


class AcknowledgementSerializer(serializers.Serializer[Alarm]):
    """Who takes care of it is the account that says so."""

    note = serializers.CharField(max_length=200)


class AlarmViewSet(ReadOnlyModelViewSet[Alarm]):
    """Alarms that you may see, newest first; the open ones unless `state` asks for others."""

    serializer_class = AlarmSerializer
    read_scopes = ("alarms:read", "alarms:write")
    write_scopes = ("alarms:write",)
    queryset = Alarm.objects.all()
    lookup_value_regex = r"\d+"

    @property
    def filterset_class(self) -> type[AlarmFilter] | None:
        """Lists are filtered; one alarm is found by its id, whatever its state."""
        return AlarmFilter if self.action == "list" else None

    def get_queryset(self) -> QuerySet[Alarm]:
        return alarms_of(cast(User, self.request.user))

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method == "POST" and not cast(User, request.user).may_acknowledge:
            raise PermissionDenied(_("您的角色不能确认告警；请联系镇（街道）或平台服务单位"))

    @extend_schema(
        request=AcknowledgementSerializer,
        responses={200: AlarmSerializer, 409: OpenApiTypes.OBJECT},
    )
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        """Take an open alarm over; 409 where somebody else did or it is over."""
        alarm = self.get_object()
        said = AcknowledgementSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        if not alarm.acknowledge(cast(User, request.user), said.validated_data["note"]):
            return Response({"detail": why_not(alarm)}, status=status.HTTP_409_CONFLICT)
        return Response(AlarmSerializer(self.get_queryset().get(pk=alarm.pk)).data)
