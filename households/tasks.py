"""What Celery does for households: each task fetches, calls, and is done."""

from celery import shared_task

from households import vault
from households.ledger import jobs


@shared_task(name="households.sweep_files", ignore_result=True)
def sweep_files() -> None:
    """Uploads and workbooks of the platform have their day, and no longer."""
    vault.sweep()


@shared_task(name="households.work_on_workbooks", ignore_result=True)
def work_on_workbooks() -> None:
    """Workbooks that wait for their check, their import or their writing; mostly none does."""
    jobs.work()
