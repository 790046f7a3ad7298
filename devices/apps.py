from django.apps import AppConfig


class DevicesConfig(AppConfig):
    name = "devices"
    verbose_name = "设备与通信"

    def ready(self) -> None:
        from devices import assigning, gates, handing_over, ledger, merged, reach
        from devices.docking import waiting

        assigning.register()
        gates.register()
        handing_over.register()
        reach.register()
        merged.register()
        ledger.register()
        waiting.register()
