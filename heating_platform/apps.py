from django.apps import AppConfig


class HeatingPlatformConfig(AppConfig):
    name = "heating_platform"

    def ready(self) -> None:
        """Every process knows the Celery application: without it a web process would look for
        Celery's own default broker and wait for it at each command."""
        from heating_platform import celery  # noqa: F401
