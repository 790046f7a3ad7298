"""Pages of the task and its progress."""

from django.urls import path

from plans import dashboard

urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("progress/curves/", dashboard.progress_curves, name="progress_curves"),
    path("progress/table/", dashboard.curves_table, name="progress_curves_table"),
    path("progress/definitions/", dashboard.definitions, name="definitions"),
]
