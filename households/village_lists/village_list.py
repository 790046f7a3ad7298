"""The list of a village on its way: village's check, public notice, town's review, filing.

A list is submitted as a whole. What the notice shows of a household stands still while the list is
under way: `slips.Locks` tells forms and imports so, and every act after the check compares the
households with what was shown. After a return whatever was shown unchanged needs no new notice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from households import clock, path
from households.audit import history
from households.language import as_kept
from households.models import (
    Area,
    Household,
    ListAct,
    ListActKind,
    ListEntry,
    ListState,
    StepKind,
    User,
    VillageList,
)
from households.models.accounts import OF_AN_AREA
from households.village_lists.list_checks import digest, draft, hindrances, shown

REASONS = {
    "households": _lazy("名单与实际不符"),
    "values": _lazy("户信息有误"),
    "plan": _lazy("与下达任务不符"),
    "notice": _lazy("公示不合要求"),
    "objections": _lazy("异议没有处理好"),
    "other": _lazy("其他"),
}
ENDS = {  # where each act leads
    ListActKind.VERIFY: ListState.VERIFIED,
    ListActKind.NOTICE: ListState.NOTICE,
    ListActKind.SUBMIT: ListState.SUBMITTED,
    ListActKind.REVIEW: ListState.REVIEWED,
    ListActKind.FILE: ListState.FILED,
    ListActKind.RETURN: ListState.RETURNED,
    ListActKind.TAKE_BACK: ListState.RETURNED,
}


class ListRefused(Exception):
    """The act is not possible; `messages` say why and what to do."""

    def __init__(self, *messages: str) -> None:
        super().__init__("；".join(messages))
        self.messages = list(messages)


# -- who may do what -----------------------------------------------------------------------


def prepares(user: User) -> bool:
    """Whether the role does the village's part: the clerk, or the town for a clerk or its 散户."""
    return user.is_active and user.role in OF_AN_AREA


def acts(user: User, state: str | None) -> set[ListActKind]:
    """What the user's role may do with a list in that state (None: not yet checked).

    That the list is of the user's own area is asked of `visible_to`.
    """
    may: set[ListActKind] = set()
    if prepares(user):
        may |= _PREPARING.get(state, set())
    if user.reviews_lists and state == ListState.SUBMITTED:
        may |= {ListActKind.REVIEW, ListActKind.RETURN}
    if user.files_lists and state == ListState.REVIEWED:
        may |= {ListActKind.FILE, ListActKind.RETURN}
    return may


def may_ever(user: User, kind: ListActKind) -> bool:
    """Whether the act is the role's at all, in some state of a list."""
    return any(kind in acts(user, state) for state in (None, *ListState))


_PREPARING: dict[str | None, set[ListActKind]] = {
    None: {ListActKind.VERIFY},
    ListState.RETURNED: {ListActKind.VERIFY},
    ListState.VERIFIED: {ListActKind.NOTICE, ListActKind.TAKE_BACK},
    ListState.NOTICE: {ListActKind.SUBMIT, ListActKind.NOTICE, ListActKind.TAKE_BACK},
    ListState.SUBMITTED: {ListActKind.TAKE_BACK},
}


# -- acts ----------------------------------------------------------------------------------


@transaction.atomic
def verify(area: Area, year: int, *, by: User, text: str = "") -> VillageList:
    """The village stands by its list: its households are taken down as they are now.

    What a notice of the required length has already shown, word for word, need not be shown
    again: the list goes on where it was returned.
    """
    Area.objects.select_for_update().get(pk=area.pk)  # two at once: one after the other
    found = draft(area, year)
    if found.hindrances:
        raise ListRefused(*map(str, found.hindrances))
    one = VillageList.objects.filter(area=area, year=year).first()
    _refuse_unless(by, one.state if one else None, ListActKind.VERIFY)
    one = one or VillageList(area=area, year=year)
    one.state, one.verified_on = ListState.VERIFIED, clock.today()
    if one.notice_digest and one.notice_digest == digest(found.households):
        one.state = ListState.NOTICE
    else:
        one.notice_from = one.notice_to = None
        one.notice_digest = ""
    one.submitted_on = one.reviewed_on = None
    one.save()
    _take_down(one, found.households)
    _record(one, ListActKind.VERIFY, by, text=text)
    return one


def _take_down(village_list: VillageList, households: Sequence[Household]) -> None:
    remarks = dict(village_list.entries.values_list("household_id", "remark"))
    village_list.entries.all().delete()
    ListEntry.objects.bulk_create(
        ListEntry(
            village_list=village_list,
            household=home,
            shown=shown(home),
            remark=remarks.get(home.pk, ""),
        )
        for home in households
    )


@transaction.atomic
def announce(village_list: VillageList, begin: date, end: date, *, by: User) -> VillageList:
    """The list hangs in the village from `begin` to `end`, both days counted.

    Once more while it hangs: its days were mistyped; what it shows stays what it showed.
    """
    one = _held(village_list, by, ListActKind.NOTICE, forwards=False)
    hangs = one.state == ListState.NOTICE
    if not hangs:
        _refuse_hindered(one)
    days = (end - begin).days + 1
    if begin < one.verified_on:
        raise ListRefused(_("公示不能早于核实（%(date)s）") % {"date": one.verified_on})
    if days < settings.NOTICE_DAYS:
        raise ListRefused(
            _("公示只有 %(days)d 天：不少于 %(least)d 天，首尾两天都算")
            % {"days": max(days, 0), "least": settings.NOTICE_DAYS}
        )
    one.notice_from, one.notice_to = begin, end
    if not hangs:
        one.notice_digest = digest(entry.household for entry in _entries(one))
    _move(one, ListActKind.NOTICE, by, text=f"{begin} — {end}")
    return one


@transaction.atomic
def submit(village_list: VillageList, *, by: User, text: str = "") -> VillageList:
    """After the notice the list goes to the town, once nothing hinders it."""
    one = _held(village_list, by, ListActKind.SUBMIT)
    one.submitted_on = clock.today()
    _move(one, ListActKind.SUBMIT, by, text=text)
    return one


@transaction.atomic
def review(village_list: VillageList, *, by: User, text: str = "") -> VillageList:
    """The town agrees; the list goes to the district."""
    one = _held(village_list, by, ListActKind.REVIEW)
    one.reviewed_on = clock.today()
    _move(one, ListActKind.REVIEW, by, text=text)
    return one


@transaction.atomic
def file(lists: Collection[VillageList], *, by: User) -> int:
    """The district files the lists: every household of them is in the plan from today.

    All or none; answers with the number of households.
    """
    done = 0
    for given in sorted(lists, key=lambda one: one.pk):
        one = _held(given, by, ListActKind.FILE)
        one.filed_on = clock.today()
        homes = [entry.household for entry in _entries(one)]
        said = {"place": one.area}
        try:
            with history.because(as_kept(_lazy("%(place)s名单备案")) % said):
                path.take_many(
                    StepKind.LISTED, [path.Taken(home, one.filed_on, by) for home in homes]
                )
        except path.StepRefused as refused:
            raise ListRefused(f"{one.area} {refused}") from refused
        _move(one, ListActKind.FILE, by)
        done += len(homes)
    return done


@transaction.atomic
def send_back(
    village_list: VillageList, *, by: User, reasons: Sequence[str], text: str = ""
) -> VillageList:
    """Town or district returns the list to the village, with reasons picked from `REASONS`.

    A notice that was not as it has to be serves no more: the list is shown anew.
    """
    one = _held(village_list, by, ListActKind.RETURN, forwards=False)
    if not reasons or not set(reasons) <= set(REASONS):
        raise ListRefused(_("请选择退回的原因"))
    if "other" in reasons and not text:
        raise ListRefused(_("选了“其他”，请写明原因"))
    if "notice" in reasons:
        one.notice_digest = ""
    _move(one, ListActKind.RETURN, by, reasons=list(reasons), text=text)
    return one


@transaction.atomic
def take_back(village_list: VillageList, *, by: User, text: str) -> VillageList:
    """The village (or its town) takes the list back to mend it."""
    one = _held(village_list, by, ListActKind.TAKE_BACK, forwards=False)
    if not text:
        raise ListRefused(_("请写明为什么撤回"))
    _move(one, ListActKind.TAKE_BACK, by, text=text)
    return one


def _held(
    village_list: VillageList, by: User, kind: ListActKind, *, forwards: bool = True
) -> VillageList:
    """The list as it is now, kept from others until the transaction ends."""
    one = VillageList.objects.select_for_update().get(pk=village_list.pk)
    _refuse_unless(by, one.state, kind)
    if forwards:
        _refuse_hindered(one)
    return one


def _refuse_hindered(one: VillageList) -> None:
    if found := hindrances(one):
        raise ListRefused(*map(str, found))


def _refuse_unless(by: User, state: str | None, kind: ListActKind) -> None:
    if kind not in acts(by, state):
        words = {"state": ListState(state).label if state else _("编制中"), "act": kind.label}
        raise ListRefused(_("名单现在是“%(state)s”，您的账号这时不能“%(act)s”") % words)


def _entries(village_list: VillageList) -> Iterable[ListEntry]:
    return village_list.entries.select_related("household")


def _move(
    one: VillageList,
    kind: ListActKind,
    by: User,
    *,
    reasons: Sequence[str] = (),
    text: str = "",
) -> None:
    one.state = ENDS[kind]
    one.save()
    _record(one, kind, by, reasons=reasons, text=text)


def _record(
    one: VillageList,
    kind: ListActKind,
    by: User,
    *,
    reasons: Sequence[str] = (),
    text: str = "",
) -> None:
    ListAct.objects.create(
        village_list=one,
        kind=kind,
        on=clock.today(),
        at=clock.now(),
        by=by,
        reasons=list(reasons),
        text=text,
    )
