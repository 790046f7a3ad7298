from django.apps import AppConfig


class PlansConfig(AppConfig):
    name = "plans"
    verbose_name = "进度调度"

    def ready(self) -> None:
        from plans import plan_upload, wall

        plan_upload.register()
        wall.register()
