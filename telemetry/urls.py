"""Pages of how it runs."""

from django.urls import path

from telemetry import command_form, household_page, unit_list, unit_page

urlpatterns = [
    path("households/<slug:number>/", household_page.household, name="household"),
    path("units/", unit_list.units, name="units"),
    path("units/<int:pk>/", unit_page.unit, name="unit"),
    path("units/<int:pk>/chart/", unit_page.unit_chart, name="unit_chart"),
    path("units/<int:pk>/readings/", unit_page.unit_readings, name="unit_readings"),
    path("units/<int:pk>/command/", command_form.command_form, name="command_form"),
    path("commands/awaiting/", command_form.awaiting_commands, name="awaiting_commands"),
    path("commands/<uuid:pk>/", command_form.command_outcome, name="command_outcome"),
    path("commands/<uuid:pk>/cancel/", command_form.cancel_command, name="cancel_command"),
    path("commands/<uuid:pk>/approve/", command_form.approve_command, name="approve_command"),
]
