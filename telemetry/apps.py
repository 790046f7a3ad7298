from django.apps import AppConfig


class TelemetryConfig(AppConfig):
    name = "telemetry"
    verbose_name = "设备监测"

    def ready(self) -> None:
        from telemetry import gates

        gates.register()
