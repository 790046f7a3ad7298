"""What Celery does for devices: each task fetches, calls, and is done."""

from celery import shared_task

from devices.docking import admission, superseding
from devices.makers import expiry


@shared_task(name="devices.count_installations", ignore_result=True)
def count_installations() -> None:
    """Installations whose models' papers have begun to be in force by their date."""
    admission.all_papers_came()


@shared_task(name="devices.supersede_confirmations", ignore_result=True)
def supersede_confirmations() -> None:
    """Confirmations whose successors have begun to be in force by their date."""
    superseding.due()


@shared_task(name="devices.announce_endings", ignore_result=True)
def announce_endings() -> None:
    """Papers and confirmations that end soon; each is said 30 and 7 days ahead."""
    expiry.announce()


@shared_task(name="devices.sign_confirmations", ignore_result=True)
def sign_confirmations() -> None:
    """Confirmations that wait for their signature; mostly none does."""
    from devices.docking import signing  # 50 MB that only the worker which signs shall have

    signing.sign_waiting()
