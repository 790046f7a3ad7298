from django.apps import AppConfig


class TelemetryConfig(AppConfig):
    name = "telemetry"
    verbose_name = "设备监测"

    def ready(self) -> None:
        from devices import installing
        from telemetry import gates, unknown

        gates.register()
        installing.HEARD_BY.append(unknown.heard_by)
