"""What of docking waits in the row 待我处理: applications for the platform service unit,
confirmations without their signature for it and for whoever runs the platform."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _

from devices.docking import confirmations
from devices.models import DockingApplication, DockingState
from households import todo
from households.models import User
from households.todo import Todo

# It is the service unit's turn: the sample is to be received, tested, judged; the confirmation to
# be signed.
DUTIES = (
    DockingState.SUBMITTED,
    DockingState.RECEIVED,
    DockingState.TESTING,
    DockingState.PASSED,
)


def register() -> None:
    """Put it in; done once, when the app is ready."""
    todo.SOURCES += [waiting, unsigned]


def waiting(user: User) -> Iterator[Todo]:
    """One query for those who test, none for others."""
    if not user.tests_docking:
        return
    rows = DockingApplication.objects.visible_to(user).filter(state__in=DUTIES)
    counts = Counter(dict(rows.order_by().values_list("state").annotate(n=Count("pk"))))
    for state in DUTIES:
        if counts[state]:
            label = _("对接申请%(state)s") % {"state": state.label}
            yield Todo(label, counts[state], f"{reverse('docking')}?state={state}", "st-run")


def unsigned(user: User) -> Iterator[Todo]:
    """One query for those who sign and those who keep the signing key, none for others."""
    if not user.tends_lines:
        return
    if n := confirmations.waiting_long().count():
        label = _("确认书没有签成：检查签名密钥")
        yield Todo(label, n, f"{reverse('docking')}?unsigned=true", "st-bad")
