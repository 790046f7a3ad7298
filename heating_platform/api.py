"""Where the endpoints of the API are mounted, and what describes them."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from households.api import AreaViewSet, HouseholdViewSet
from plans.api import PlanLineViewSet
from telemetry.alarm_api import AlarmViewSet
from telemetry.api import UnitViewSet
from telemetry.command_api import CommandViewSet
from telemetry.line_api import LineViewSet

router = SimpleRouter()
router.register("areas", AreaViewSet)
router.register("households", HouseholdViewSet)
router.register("plan-lines", PlanLineViewSet)
router.register("units", UnitViewSet)
router.register("lines", LineViewSet)
router.register("commands", CommandViewSet)
router.register("alarms", AlarmViewSet)

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path(
        "",
        SpectacularSwaggerSplitView.as_view(url_name="schema", template_name="api.html"),
        name="api",
    ),
    *router.urls,
]
