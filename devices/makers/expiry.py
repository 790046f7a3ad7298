"""What comes to its end: papers and confirmations, announced 30 and 7 days ahead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.db.models import DateTimeField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from devices.docking import applications
from devices.makers import access
from devices.models import Confirmation, ConfirmationState, MakerPaper, MakerPaperKind, Supplier
from households import clock
from households.notifications import tell

AHEAD = (30, 7)  # days before the end, each said once
STILL_OF_USE = (ConfirmationState.VALID, ConfirmationState.SUSPENDED)


@dataclass(frozen=True)
class Ending:
    """A paper or a confirmation that ends, or has ended, with nothing newer in its place."""

    thing: MakerPaper | Confirmation

    @property
    def until(self) -> date:
        until = self.thing.valid_until
        assert until is not None  # else it does not end
        return until

    @property
    def left(self) -> int:
        """Days until its end; negative once it is over."""
        return (self.until - clock.today()).days

    @property
    def supplier(self) -> Supplier:
        thing = self.thing
        return thing.supplier if isinstance(thing, MakerPaper) else thing.model.supplier

    @property
    def words(self) -> str:
        """Which one it is: the model, the kind, the number."""
        thing = self.thing
        kind = thing.get_kind_display() if isinstance(thing, MakerPaper) else _("数据对接确认书")
        model = thing.model.code if thing.model else ""
        return " ".join(part for part in (model, str(kind), thing.number) if part)

    @property
    def path(self) -> str:
        """The page where a newer one is brought."""
        if self.thing.model_id:
            return reverse("device_model", args=[self.thing.model_id])
        return reverse("maker", args=[self.supplier.pk])


def endings(within: int, of: Supplier | None = None) -> list[Ending]:
    """What ends within so many days, or has ended, and is not replaced; the earliest first.

    Of one maker, or of all. Two queries.
    """
    papers, confirmations = _papers(within), _confirmations(within)
    if of is not None:
        papers, confirmations = papers.filter(supplier=of), confirmations.filter(model__supplier=of)
    found = [*map(Ending, papers), *map(Ending, confirmations)]
    return sorted(found, key=lambda ending: (ending.until, ending.words))


def _papers(within: int) -> QuerySet[MakerPaper]:
    newer = (
        MakerPaper.objects.standing()
        .filter(
            Q(model=OuterRef("model")) | Q(model=None, kind=MakerPaperKind.LICENCE),
            Q(valid_until=None) | Q(valid_until__gt=OuterRef("valid_until")),
            _without_a_gap(),
            supplier=OuterRef("supplier"),
            kind=OuterRef("kind"),
        )
        .exclude(kind=MakerPaperKind.OTHER)  # two of these are two different papers
    )
    rows = MakerPaper.objects.standing().filter(~Exists(newer), **_until(within))
    return rows.select_related("supplier", "model")


def _confirmations(within: int) -> QuerySet[Confirmation]:
    newer = Confirmation.objects.counting().filter(
        _without_a_gap(),
        state=ConfirmationState.VALID,
        model=OuterRef("model"),
        valid_until__gt=OuterRef("valid_until"),
    )
    rows = Confirmation.objects.counting().filter(state__in=STILL_OF_USE)
    return rows.filter(~Exists(newer), **_until(within)).select_related("model__supplier")


def _without_a_gap() -> Q:
    """The newer one begins at the latest on the day after the older one's end."""
    follows = ExpressionWrapper(OuterRef("valid_until") + timedelta(days=1), DateTimeField())
    return Q(valid_from=None) | Q(valid_from__lte=follows)


def _until(within: int) -> dict[str, date]:
    return {"valid_until__lte": clock.today() + timedelta(days=within)}


# -- announcing ----------------------------------------------------------------------------


def announce() -> int:
    """Tell the maker and the platform service unit of what ends 30 and 7 days from now, each
    once; how many were told of. Late is told as well: a stopped platform makes it up."""
    return sum(_announce(ending) for ending in endings(max(AHEAD)) if ending.left >= 0)


@transaction.atomic
def _announce(ending: Ending) -> bool:
    stage = min(days for days in AHEAD if ending.left <= days)
    rows = type(ending.thing).objects.filter(pk=ending.thing.pk)
    not_yet = Q(announced_days=None) | Q(announced_days__gt=stage)
    if not rows.filter(not_yet).update(announced_days=stage):
        return False  # said already, perhaps by another worker just now
    readers = [*access.people(ending.supplier), *applications.service_unit()]
    tell(readers, lambda: _sentence(ending), ending.path)
    return True


def _sentence(ending: Ending) -> str:
    said = {
        "maker": ending.supplier.name,
        "what": ending.words,
        "n": ending.left,
        "until": f"{ending.until:%Y-%m-%d}",
    }
    if not ending.left:
        return _("%(maker)s：%(what)s 今天到期，请上传新的") % said
    return _("%(maker)s：%(what)s 还有 %(n)d 天到期（%(until)s），请尽早更新") % said
