"""Areas and households for programs, and how the description of the API names a token."""

from typing import ClassVar, cast

import django_filters as filters
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import serializers
from rest_framework.viewsets import ReadOnlyModelViewSet

from households.filters import HouseholdFilter
from households.models import Area, Household, StepKind, User
from households.models.areas import AreaQuerySet
from households.models.households import HouseholdQuerySet


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "households.door.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "qn_…"}


class AreaSerializer(serializers.ModelSerializer[Area]):
    class Meta:
        model = Area
        fields: ClassVar = ["id", "level", "name", "owner", "order"]


class AreaFilter(filters.FilterSet):
    level = filters.ChoiceFilter(choices=Area.Level.choices)
    owner = filters.NumberFilter(field_name="owner_id")


class AreaViewSet(ReadOnlyModelViewSet[Area]):
    """District, towns and villages that you may see, in the notice's order."""

    serializer_class = AreaSerializer
    read_scopes = ("areas:read",)
    filterset_class = AreaFilter
    queryset = Area.objects.all()

    def get_queryset(self) -> AreaQuerySet:
        return Area.objects.visible_to(self.request.user)


class HouseholdSerializer(serializers.ModelSerializer[Household]):
    """Where a household stands on its path: by its number, never by a person."""

    town = serializers.CharField(source="area.town.name", default=None, allow_null=True)
    area_name = serializers.CharField(source="area.name")

    class Meta:
        model = Household
        fields: ClassVar = [
            "number",
            "uid",
            "year",
            "town",
            "area",
            "area_name",
            "method",
            "site_kind",
            "heated_area",
            "state",
            "papers_incomplete",
            *(f"{kind}_on" for kind in StepKind),
            "withdrawn_on",
            "vacant",
            "seasonal",
            "updated_at",
        ]


class HouseholdViewSet(ReadOnlyModelViewSet[Household]):
    """Households that you may see, with the valid dates of their steps."""

    serializer_class = HouseholdSerializer
    read_scopes = ("households:read",)
    filterset_class = HouseholdFilter
    lookup_field = "number"
    queryset = Household.objects.all()

    def get_queryset(self) -> HouseholdQuerySet:
        rows = Household.objects.visible_to(cast(User, self.request.user))
        return rows.select_related("area__owner").order_by("number")
