"""What Celery does for households: each task fetches, calls, and is done."""

from contextlib import suppress

from celery import shared_task

from households import notifications, vault
from households.accounts import sessions
from households.audit import seals
from households.ledger import jobs


@shared_task(name="households.seal_history", ignore_result=True)
def seal_history() -> None:
    """Where somebody writes for long, the next time will do."""
    with suppress(seals.StillWriting):
        seals.seal()


@shared_task(name="households.sweep_files", ignore_result=True)
def sweep_files() -> None:
    """Uploads and workbooks of the platform have their day, and no longer."""
    vault.sweep()


@shared_task(name="households.work_on_workbooks", ignore_result=True)
def work_on_workbooks() -> None:
    """Workbooks that wait for their check, their import or their writing; mostly none does."""
    jobs.work()


@shared_task(name="households.forget_sessions", ignore_result=True)
def forget_sessions() -> None:
    """Sessions that ended by themselves, and sign-ins of half a year ago."""
    sessions.forget()


@shared_task(name="households.forget_messages", ignore_result=True)
def forget_messages() -> None:
    """Messages that were read half a year ago."""
    notifications.forget()
