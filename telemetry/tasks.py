"""What Celery does for telemetry: each task fetches, calls, and is done."""

from celery import shared_task

from telemetry import alarms, cadence, commands, groups, hours, line_worker, partitions


@shared_task(name="telemetry.wake_line_worker", ignore_result=True, expires=30)
def wake_line_worker() -> None:
    """Runs in the line worker's own process: look for commands now."""
    for worker in line_worker.running:
        worker.wake()


@shared_task(name="telemetry.sum_up_hours", ignore_result=True)
def sum_up_hours() -> None:
    hours.catch_up()


@shared_task(name="telemetry.keep_partitions", ignore_result=True)
def keep_partitions() -> None:
    partitions.ensure()
    partitions.drop_old()
    cadence.forget_old()


@shared_task(name="telemetry.review_intervals", ignore_result=True)
def review_intervals() -> None:
    """Also where a line worker stands still: watches end, and what is due is counted rightly."""
    cadence.review()


@shared_task(name="telemetry.expire_commands", ignore_result=True)
def expire_commands() -> None:
    commands.expire()
    groups.look_after()


@shared_task(name="telemetry.review_alarms", ignore_result=True)
def review_alarms() -> None:
    alarms.review()
