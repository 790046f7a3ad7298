from django.apps import AppConfig


class HouseholdsConfig(AppConfig):
    name = "households"
    verbose_name = "户与台账"

    def ready(self) -> None:
        from django.forms import Field
        from django.utils.translation import gettext_lazy as _

        from households.ledger import columns

        columns.register()
        Field.default_error_messages["required"] = _("必填，请补上")  # Django's own is no officer's
