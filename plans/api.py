"""Plan lines for programs."""

from typing import ClassVar, cast

import django_filters as filters
from rest_framework import serializers
from rest_framework.viewsets import ReadOnlyModelViewSet

from households.requests import SignedIn
from plans.models import PlanItem, PlanItemQuerySet


class PlanLineSerializer(serializers.ModelSerializer[PlanItem]):
    """One line of the task plan; `town` is the responsible town, `village` null for 散户."""

    year = serializers.IntegerField(source="plan.year")
    basis = serializers.CharField(source="plan.basis")
    town = serializers.CharField(source="area.town.name", allow_null=True, default=None)
    village = serializers.SerializerMethodField()

    class Meta:
        model = PlanItem
        fields: ClassVar = [
            "id",
            "year",
            "basis",
            "seq",
            "area",
            "town",
            "village",
            "households",
            "central_heating",
            "coal_to_electricity",
            "coal_to_gas",
            "industrial_waste_heat",
            "note",
        ]

    def get_village(self, item: PlanItem) -> str | None:
        return item.area.name if item.area.level == item.area.Level.VILLAGE else None


class PlanLineFilter(filters.FilterSet):
    year = filters.NumberFilter(field_name="plan__year")
    area = filters.NumberFilter(field_name="area_id")


class PlanLineViewSet(ReadOnlyModelViewSet[PlanItem]):
    """Lines of the yearly task plans (改造任务计划表) of the areas that you may see."""

    serializer_class = PlanLineSerializer
    read_scopes = ("plans:read",)
    filterset_class = PlanLineFilter
    queryset = PlanItem.objects.all()

    def get_queryset(self) -> PlanItemQuerySet:
        items = PlanItem.objects.visible_to(cast(SignedIn, self.request).user)
        return items.select_related("plan", "area__owner").order_by("-plan__year", "seq")
