"""Commands for programs: asked for, followed, agreed to, taken back."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any, ClassVar, cast

import django_filters as filters
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from devices.modbus.points import Scalar
from devices.models import Unit
from households.models import User
from telemetry import commands
from telemetry.models import Command, CommandState
from telemetry.unit_list import seen_by


@extend_schema_field({"oneOf": [{"type": "number"}, {"type": "boolean"}, {"type": "string"}]})
class TargetField(serializers.Field[Scalar, Scalar, Scalar, Any]):
    """A number, true or false, or a label of the unit's register map."""

    def to_internal_value(self, data: Scalar) -> Scalar:
        if not isinstance(data, bool | int | float | str):
            raise ValidationError([_("目标值应为数字、true/false 或选项名")])
        # Compared, not converted: a whole number of JSON may be longer than any float.
        if not isinstance(data, str) and not abs(data) <= sys.float_info.max:
            raise ValidationError([_("目标值不是有限的数")])
        return data

    def to_representation(self, value: Scalar) -> Scalar:
        return value


REASONS = [
    (value, label) for value, label in Command.Reason.choices if value != Command.Reason.RESTORE
]


class CommandSerializer(serializers.ModelSerializer[Command]):
    """A command and what became of it; done is only what is `verified`."""

    state_label = serializers.CharField(source="get_state_display")
    requested_by = serializers.CharField(source="requested_by.office")
    approved_by = serializers.CharField(source="approved_by.office", default=None, allow_null=True)

    class Meta:
        model = Command
        fields: ClassVar = [
            "id",
            "unit",
            "signal",
            "target",
            "before",
            "reason",
            "note",
            "agreement",
            "agreed_on",
            "limits",
            "requested_by",
            "requested_at",
            "approved_by",
            "approved_at",
            "not_before",
            "expires_at",
            "state",
            "state_label",
            "sent",
            "read_back",
            "detail",
            "finished_at",
        ]


class SeenUnit(serializers.PrimaryKeyRelatedField[Unit]):
    """A unit by its id; one that the asker may not see does not exist for him."""

    def get_queryset(self) -> QuerySet[Unit]:
        return seen_by(self.context["request"])

    def to_internal_value(self, data: Any) -> Unit:
        """JSON's 1e400 is infinite, and no id."""
        if isinstance(data, float):
            self.fail("incorrect_type", data_type="float")
        return super().to_internal_value(data)


class CommandRequestSerializer(serializers.Serializer[Command]):
    """The wish to change one signal of one unit.

    `agreement` and `agreed_on` say how and when the resident agreed; only `frost` and `test` need
    none. A test restores the value read before within a minute; `present` says that the installer
    stands beside the unit, which a test that stops heating in the cold needs.
    """

    unit = SeenUnit(queryset=Unit.objects.all())
    signal = serializers.CharField(max_length=40)
    target = TargetField()
    reason = serializers.ChoiceField(choices=REASONS)
    note = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    agreement = serializers.ChoiceField(
        choices=Command.Agreement.choices, required=False, allow_blank=True, default=""
    )
    agreed_on = serializers.DateField(required=False, allow_null=True, default=None)
    present = serializers.BooleanField(required=False, default=False)
    valid_minutes = serializers.IntegerField(min_value=1, max_value=60, required=False, default=5)

    def create(self, wish: dict[str, Any]) -> Command:
        try:
            return commands.request(
                by=self.context["request"].user,
                valid_for=timedelta(minutes=wish.pop("valid_minutes")),
                **wish,
            )
        except commands.CommandRefused as refused:
            raise ValidationError({"target": refused.messages}) from None


class CommandFilter(filters.FilterSet):
    unit = filters.NumberFilter(field_name="unit_id")  # by number: an id betrays no other's unit
    state = filters.ChoiceFilter(choices=CommandState.choices)

    class Meta:
        model = Command
        fields: ClassVar = ["signal"]


class CommandViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Command]):
    """Commands to units that you may see, newest first; posting one asks a unit for a change."""

    serializer_class = CommandSerializer
    read_scopes = ("units:read", "commands:write")
    write_scopes = ("commands:write",)
    filterset_class = CommandFilter
    queryset = Command.objects.all()
    lookup_value_regex = "[0-9a-f-]{36}"

    def get_queryset(self) -> QuerySet[Command]:
        user = cast(User, self.request.user)
        rows = Command.objects.visible_to(user)
        return rows.select_related("requested_by__area", "approved_by__area", "unit__gateway")

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method == "POST" and not cast(User, request.user).may_command:
            raise PermissionDenied(_("您的角色不能远程设定；请联系镇（街道）或平台服务单位"))

    @extend_schema(request=CommandRequestSerializer, responses={201: CommandSerializer})
    def create(self, request: Request) -> Response:
        """Queue a command; follow it at its own address until `finished_at` is set."""
        wish = CommandRequestSerializer(data=request.data, context={"request": request})
        wish.is_valid(raise_exception=True)
        command = wish.save()
        return Response(CommandSerializer(command).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses={200: CommandSerializer, 409: OpenApiTypes.OBJECT})
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str) -> Response:
        """Agree as the second person; 403 for who may not, 409 where nothing waits for that."""
        command = self.get_object()
        try:
            done = commands.approve(command, cast(User, request.user))
        except commands.CommandRefused as refused:
            raise PermissionDenied("；".join(refused.messages)) from None
        if not done:
            return self._too_late(command, _("命令当前为“%(state)s”，不等待同意"))
        command.refresh_from_db()
        return Response(CommandSerializer(command).data)

    @extend_schema(request=None, responses={200: CommandSerializer, 409: OpenApiTypes.OBJECT})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Take a waiting command back; 409 where its bytes may already be on the way."""
        command = self.get_object()
        if not commands.cancel(command, cast(User, request.user)):
            return self._too_late(command, _("命令当前为“%(state)s”，不能取消"))
        command.refresh_from_db()
        return Response(CommandSerializer(command).data)

    def _too_late(self, command: Command, sentence: str) -> Response:
        said = sentence % {"state": command.get_state_display()}
        return Response({"detail": said}, status=status.HTTP_409_CONFLICT)
