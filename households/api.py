"""Areas for programs, and how the description of the API names a token."""

from typing import ClassVar

import django_filters as filters
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import serializers
from rest_framework.viewsets import ReadOnlyModelViewSet

from households.models import Area
from households.models.areas import AreaQuerySet


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
