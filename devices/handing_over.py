"""What of an installer's work goes to his successor."""

from django.utils.translation import gettext_lazy as _

from devices.models import Assignment
from households.accounts.handover import HANDOVERS, Handover
from households.models import User


def register() -> None:
    """Said once, when the app is ready."""
    HANDOVERS.append(Handover(_("分派的安装"), give_assignments))


def give_assignments(leaver: User, successor: User) -> int:
    """Households still to be installed that were given to the leaver by name."""
    return Assignment.objects.open().filter(installer=leaver).update(installer=successor)
