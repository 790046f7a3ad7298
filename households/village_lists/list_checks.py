"""What hinders a village's list: households without their values, a notice that is not over.

What the notice shows of a household is `shown`; it stands still while the list is under way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

from django.utils.translation import gettext as _

from households import clock
from households.entry import household_rules
from households.models import Area, Household, ListActKind, ListState, Method, VillageList
from households.models.households import HouseholdQuerySet

# Fields of a household that the notice shows; `place` stands where there is no door number.
SHOWN = ("householder", "door", "place", "method", "heated_area")


@dataclass(frozen=True)
class Hindrance:
    """Why a list cannot go on; of one household where it is given."""

    words: str
    household: Household | None = None

    def __str__(self) -> str:
        return f"{self.household.number} {self.words}" if self.household else self.words


@dataclass
class Draft:
    """The households that a list would have now, and what hinders it."""

    households: list[Household]
    hindrances: list[Hindrance] = field(default_factory=list)


def draft(area: Area, year: int) -> Draft:
    """The village's households of the year that are neither listed nor withdrawn."""
    homes = list(waiting(area, year).select_related("area__owner"))
    found = Draft(homes)
    if not homes:
        found.hindrances.append(Hindrance(_("还没有登记要列入计划的户：请先登记")))
    for home in homes:
        words = [_("还是暂存：请补齐后提交摸底登记")] if home.surveyed_on is None else []
        lacking = missing(home)
        if lacking:
            words.append(_("缺%(what)s") % {"what": _("、").join(lacking)})
        found.hindrances += [Hindrance(word, home) for word in words]
    return found


def waiting(area: Area, year: int) -> HouseholdQuerySet:
    """Households of the area itself (散户, where it is a town) that wait for being listed."""
    return Household.objects.filter(area=area, year=year, listed_on=None, withdrawn_on=None)


def missing(household: Household) -> list[str]:
    """What 摸底登记 or the notice needs of a household and does not find."""
    found = household_rules.missing(household)
    return [str(one) for one in found if one.is_needed or one.field in SHOWN]


def shown(household: Household) -> dict[str, str]:
    """What the notice tells of a household."""
    values = {name: getattr(household, name) for name in SHOWN}
    area = values["heated_area"]
    return {name: str(value or "") for name, value in values.items()} | {
        "heated_area": f"{area:.1f}" if area is not None else ""
    }


def changed_since(village_list: VillageList) -> list[Household]:
    """Households of the list that are not as they were when the village checked it."""
    entries = village_list.entries.select_related("household")
    return [
        entry.household
        for entry in entries
        if entry.shown != shown(entry.household)
        or entry.household.area_id != village_list.area_id
        or entry.household.withdrawn_on
    ]


def hindrances(village_list: VillageList) -> list[Hindrance]:
    """What hinders the list from leaving its present state forwards."""
    found = [
        Hindrance(_("与核实时的名单不同：请撤回，改好后重新核实"), home)
        for home in changed_since(village_list)
    ]
    if village_list.state == ListState.NOTICE:
        found += _notice_hindrances(village_list)
    return found


def _notice_hindrances(village_list: VillageList) -> Iterable[Hindrance]:
    until = village_list.notice_to
    if until is not None and until >= clock.today():
        yield Hindrance(_("公示到 %(date)s 才结束，第二天起可以提交") % {"date": until})
    if not village_list.papers.filter(added_at__gte=_checked_for_notice(village_list)).exists():
        yield Hindrance(_("还没有这次公示的照片：请上传现场照片"))
    if village_list.objections.filter(outcome="").exists():
        yield Hindrance(_("还有异议没有处理结果：请填写处理结果"))


def _checked_for_notice(village_list: VillageList) -> datetime:
    """When the village stood by what hangs now: a photo from before shows another notice."""
    acts = village_list.acts.order_by("-at", "-pk")
    hung = acts.filter(kind=ListActKind.NOTICE)[:1].values("at")
    checked = acts.filter(kind=ListActKind.VERIFY, at__lte=hung).values_list("at", flat=True)
    return checked.first() or datetime.min.replace(tzinfo=UTC)


def digest(households: Iterable[Household]) -> str:
    """SHA-256 over what a notice of these households shows."""
    rows = sorted((str(home.uid), sorted(shown(home).items())) for home in households)
    return sha256(repr(rows).encode()).hexdigest()


def by_method(households: Iterable[Household]) -> dict[Method, int]:
    """How many of each method, all methods in the notice's order."""
    counts: dict[Method, int] = dict.fromkeys(Method, 0)
    for home in households:
        counts[Method(home.method)] += 1
    return counts
