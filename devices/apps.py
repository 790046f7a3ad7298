from django.apps import AppConfig


class DevicesConfig(AppConfig):
    name = "devices"
    verbose_name = "设备与通信"

    def ready(self) -> None:
        from devices import gates, ledger, reach

        gates.register()
        reach.register()
        ledger.register()
