"""Where every page and endpoint is mounted."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("plans.urls")),
    path("", include("households.urls")),  # before any page of one household: `new` is no number
    path("", include("telemetry.urls")),
    path("", include("devices.urls")),
    path("api/", include("heating_platform.api")),
]
