from django.apps import AppConfig


class HouseholdsConfig(AppConfig):
    name = "households"
    verbose_name = "户与台账"

    def ready(self) -> None:
        from households.ledger import columns

        columns.register()
