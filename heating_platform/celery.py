"""The Celery application: workers, the scheduler, and the workers that hold lines."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_process_init
from click import Option

from heating_platform.supervisor import die_with

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "heating_platform.settings")

app = Celery("heating_platform")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

import telemetry.bootstep  # noqa: E402 - needs the settings above

app.user_options["worker"].add(
    Option(["--line"], default=None, help="Name of the line worker that this worker is.")
)
app.steps["worker"].add(telemetry.bootstep.LineWorkerStep)


@worker_process_init.connect
def end_with_the_worker(**kwargs: Any) -> None:
    """A child of the prefork pool must not outlive a worker that was killed."""
    die_with(os.getppid())
