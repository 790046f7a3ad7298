"""Pages of how it runs."""

from django.urls import path

from telemetry import (
    alarm_list,
    command_form,
    group_pages,
    household_page,
    interval_form,
    line_acts,
    line_list,
    line_page,
    monitoring_settings,
    trace_page,
    unit_list,
    unit_page,
    unknown_page,
)

urlpatterns = [
    path("households/<slug:number>/", household_page.household, name="household"),
    path("alarms/", alarm_list.alarms, name="alarms"),
    path(
        "alarms/<int:pk>/acknowledge/", alarm_list.acknowledge_alarm, name="acknowledge_alarm"
    ),
    path("units/", unit_list.units, name="units"),
    path("units/<int:pk>/", unit_page.unit, name="unit"),
    path("units/<int:pk>/chart/", unit_page.unit_chart, name="unit_chart"),
    path("units/<int:pk>/readings/", unit_page.unit_readings, name="unit_readings"),
    path("units/<int:pk>/interval/", interval_form.unit_interval, name="unit_interval"),
    path("units/<int:pk>/command/", command_form.command_form, name="command_form"),
    path("commands/awaiting/", command_form.awaiting_commands, name="awaiting_commands"),
    path("commands/<uuid:pk>/", command_form.command_outcome, name="command_outcome"),
    path("commands/<uuid:pk>/cancel/", command_form.cancel_command, name="cancel_command"),
    path("commands/<uuid:pk>/approve/", command_form.approve_command, name="approve_command"),
    path("settings/monitoring/", monitoring_settings.page, name="monitoring_settings"),
    path("groups/", group_pages.group_list, name="groups"),
    path("groups/new/", group_pages.new_group, name="new_group"),
    path("groups/<int:pk>/", group_pages.group, name="group"),
    path("groups/<int:pk>/confirm/", group_pages.confirm_group, name="confirm_group"),
    path("groups/<int:pk>/stop/", group_pages.stop_group, name="stop_group"),
    path("lines/", line_list.line_list, name="lines"),
    path("lines/unknown/", unknown_page.unknown_transmitters, name="unknown_transmitters"),
    path("lines/unknown/<int:pk>/", unknown_page.take_on, name="take_on"),
    path("lines/<int:pk>/", line_page.line, name="line"),
    path("lines/<int:pk>/settings/", line_acts.line_settings, name="line_settings"),
    path("lines/<int:pk>/trust/", line_acts.line_trust, name="line_trust"),
    path("lines/<int:pk>/secret/", line_acts.line_secret, name="line_secret"),
    path("lines/<int:pk>/transmitter/", line_acts.line_transmitter, name="line_transmitter"),
    path("lines/<int:pk>/trace/", trace_page.line_trace, name="line_trace"),
    path("lines/<int:pk>/trace/switch/", trace_page.trace_switch, name="trace_switch"),
    path("lines/<int:pk>/trace/file/", trace_page.trace_file, name="trace_file"),
]
