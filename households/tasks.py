"""What Celery does for households: each task fetches, calls, and is done."""

from celery import shared_task

from households import vault


@shared_task(name="households.sweep_files", ignore_result=True)
def sweep_files() -> None:
    """Uploads and workbooks of the platform have their day, and no longer."""
    vault.sweep()
