from django.apps import AppConfig


class TelemetryConfig(AppConfig):
    name = "telemetry"
    verbose_name = "设备监测"

    def ready(self) -> None:
        from devices import installing
        from devices.docking import applications, confirmations
        from telemetry import gates, unknown
        from telemetry.docking import runs

        gates.register()
        installing.HEARD_BY.append(unknown.heard_by)
        applications.GIVEN_BACK.append(runs.break_off)
        confirmations.CONDITIONS.append(runs.conditions_of)
        confirmations.FIGURES.append(runs.figures_of)
        confirmations.TESTERS.append(runs.testers_of)
