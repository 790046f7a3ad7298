"""Lines for programs: where each stands, its figures, its units, its bytes."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.viewsets import ReadOnlyModelViewSet

from devices.models import Gateway, Unit
from households.models import User
from telemetry import lines
from telemetry.line_list import LineFilter
from telemetry.models import GatewayMonth


class ExchangesSerializer(serializers.Serializer[lines.Exchanges]):
    """How asking goes since the line was opened; null is not known."""

    round_trip_ms = serializers.FloatField(allow_null=True)
    requests = serializers.IntegerField(allow_null=True)
    answers = serializers.IntegerField(allow_null=True)
    timeouts = serializers.IntegerField(allow_null=True)
    wrong_frames = serializers.IntegerField(allow_null=True)


class ProblemSerializer(serializers.Serializer[lines.Problem]):
    """Something wrong with the wire, by its code and in words."""

    code = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)
    address = serializers.IntegerField(allow_null=True)
    words = serializers.CharField()


class ConnectionSerializer(serializers.Serializer[lines.Connection]):
    """The connection of now; registration and heartbeats are those of transmitters."""

    connected_since = serializers.DateTimeField(allow_null=True)
    registered_at = serializers.DateTimeField(allow_null=True)
    last_heartbeat_at = serializers.DateTimeField(allow_null=True)
    heartbeats = serializers.IntegerField(allow_null=True)
    peer = serializers.CharField()
    listener = serializers.CharField()
    bytes_in = serializers.IntegerField(allow_null=True)
    bytes_out = serializers.IntegerField(allow_null=True)
    late_replies = serializers.IntegerField(allow_null=True)
    stray_bytes = serializers.IntegerField(allow_null=True)


class MonthSerializer(serializers.ModelSerializer[GatewayMonth]):
    class Meta:
        model = GatewayMonth
        fields: ClassVar = ["month", "bytes_in", "bytes_out"]


class UnitOnLineSerializer(serializers.ModelSerializer[Unit]):
    """A unit of the line that you may see, with its own figures."""

    exchanges = serializers.SerializerMethodField()

    class Meta:
        model = Unit
        fields: ClassVar = ["id", "address", "module", "network_address", "exchanges"]

    @extend_schema_field(ExchangesSerializer)
    def get_exchanges(self, unit: Unit) -> dict[str, Any]:
        said = self.context["said"].get(str(unit.address), {})
        return ExchangesSerializer(lines.Exchanges.of(said)).data


class LineSerializer(serializers.ModelSerializer[Gateway]):
    """A line and where it stands. `units_…` count the units that you may see; bytes are those of
    this month; `read_only_because` is empty where the line may be written to."""

    standing = serializers.SerializerMethodField()
    since = serializers.SerializerMethodField()
    trouble = serializers.SerializerMethodField()
    read_only_because = serializers.CharField(source="why_read_only")
    villages = serializers.SerializerMethodField()
    units_total = serializers.IntegerField()
    units_online = serializers.IntegerField()
    month_bytes = serializers.IntegerField()
    exchanges = serializers.SerializerMethodField()
    problems = serializers.SerializerMethodField()

    class Meta:
        model = Gateway
        fields: ClassVar = [
            "id",
            "name",
            "kind",
            "transmitter",
            "line_worker",
            "enabled",
            "trusted",
            "read_only_because",
            "interval_s",
            "monthly_budget_mb",
            "standing",
            "since",
            "trouble",
            "villages",
            "units_total",
            "units_online",
            "month_bytes",
            "exchanges",
            "problems",
        ]

    @extend_schema_field(serializers.ChoiceField(choices=list(lines.STANDINGS)))
    def get_standing(self, line: Gateway) -> str:
        return lines.standing_of(line).name

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_since(self, line: Gateway) -> Any:
        moment = lines.standing_of(line).since
        return serializers.DateTimeField().to_representation(moment) if moment else None

    @extend_schema_field(serializers.CharField())
    def get_trouble(self, line: Gateway) -> str:
        return lines.standing_of(line).why

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_villages(self, line: Gateway) -> list[str]:
        return line.villages or []  # type: ignore[attr-defined]  # annotated by lines_of

    @extend_schema_field(ExchangesSerializer)
    def get_exchanges(self, line: Gateway) -> dict[str, Any]:
        return ExchangesSerializer(lines.exchanges_of(line)).data

    @extend_schema_field(ProblemSerializer(many=True))
    def get_problems(self, line: Gateway) -> list[Any]:
        user = cast(User, self.context["request"].user)
        return [ProblemSerializer(one).data for one in lines.problems_of(line, user)]


class WholeLineSerializer(LineSerializer):
    """One line with its connection, its units and the bytes of its months."""

    connection = serializers.SerializerMethodField()
    units = serializers.SerializerMethodField()
    months = MonthSerializer(many=True)

    class Meta(LineSerializer.Meta):
        fields: ClassVar = [*LineSerializer.Meta.fields, "connection", "units", "months"]

    @extend_schema_field(ConnectionSerializer)
    def get_connection(self, line: Gateway) -> dict[str, Any]:
        return ConnectionSerializer(lines.Connection.of(line)).data

    @extend_schema_field(UnitOnLineSerializer(many=True))
    def get_units(self, line: Gateway) -> list[Any]:
        user = cast(User, self.context["request"].user)
        units = Unit.objects.visible_to(user).filter(gateway=line, retired_at=None)
        context = {"said": lines.Connection.of(line).units}
        ordered = units.order_by("address", "module")
        return [UnitOnLineSerializer(unit, context=context).data for unit in ordered]


class LineViewSet(ReadOnlyModelViewSet[Gateway]):
    """Lines (transmitters, serial ports, converters) that you may see."""

    serializer_class = LineSerializer
    read_scopes = ("lines:read",)
    filterset_class = LineFilter
    queryset = Gateway.objects.all()
    lookup_value_regex = r"\d+"

    def get_queryset(self) -> QuerySet[Gateway]:
        return lines.lines_of(cast(User, self.request.user)).order_by("pk")

    def get_serializer_class(self) -> type[LineSerializer]:
        return WholeLineSerializer if self.action == "retrieve" else LineSerializer
