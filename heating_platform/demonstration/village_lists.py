"""The demonstration's lists of villages, one of them still hanging out, and its change slips.

No slip in effect changes the task: the notice's numbers stay what they are.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta

from PIL import Image

from heating_platform.demonstration import district, people
from heating_platform.demonstration.district import Home
from households import clock
from households.models import (
    Area,
    ChangeSlip,
    Household,
    ListAct,
    ListActKind,
    ListEntry,
    ListState,
    Part,
    SlipKind,
    StepKind,
    User,
    VillageList,
)
from households.village_lists import list_papers, slips, village_list
from households.village_lists.list_checks import digest, shown

UNDER_WAY = 14  # line of the plan whose last households still hang out
NOTICE_BEGAN = district.FILED - 8


def hold_back(homes: Iterable[Home]) -> None:
    """The households of the list under way have not come further than their registration."""
    for home in homes:
        if home.item.seq == UNDER_WAY and StepKind.COMMISSIONED not in home.days:
            home.days = {StepKind.SURVEYED: home.days[StepKind.SURVEYED]}


def make(homes: Iterable[Home], accounts: dict[str, User]) -> None:
    """Filed lists as the households' steps tell them, a list under its notice, slips."""
    by_area: dict[int, list[Home]] = defaultdict(list)
    for home in homes:
        by_area[home.item.area_id].append(home)
    lines = [line for line in by_area.values() if line[0].item.seq != UNDER_WAY]
    _file(lines, accounts)
    hanging = next(line for line in by_area.values() if line[0].item.seq == UNDER_WAY)
    _hang_out(hanging[0].item.area, hanging[0].household.year, accounts["nanjie"])
    _slips(accounts)


# -- lists ---------------------------------------------------------------------------------


def _file(lines: list[list[Home]], accounts: dict[str, User]) -> None:
    """Lists that were filed in summer, with the acts that brought them there."""
    offices = {user.area_id: user for user in accounts.values() if user.area_id}
    found, entries, acts = [], [], []
    for line in lines:
        area = line[0].item.area
        town = area.town or area
        year = line[0].household.year
        clerk, officer = offices.get(area.pk, offices[town.pk]), offices[town.pk]
        homes = [home.household for home in line]
        one = _filed(area, year, homes)
        found.append(one)
        entries += [
            ListEntry(village_list=one, household=home, shown=shown(home)) for home in homes
        ]
        done = (
            (ListActKind.VERIFY, one.verified_on, clerk),
            (ListActKind.NOTICE, one.notice_from, clerk),
            (ListActKind.SUBMIT, one.submitted_on, clerk),
            (ListActKind.REVIEW, one.reviewed_on, officer),
            (ListActKind.FILE, one.filed_on, accounts["quban"]),
        )
        acts += [_act(one, kind, on, by) for kind, on, by in done if on]
    VillageList.objects.bulk_create(found)
    ListEntry.objects.bulk_create(entries)
    ListAct.objects.bulk_create(acts)


def _filed(area: Area, year: int, homes: list[Household]) -> VillageList:
    begun, ended = district.day(NOTICE_BEGAN, year), district.day(district.FILED - 2, year)
    filed = district.day(district.FILED, year)
    return VillageList(
        area=area,
        year=year,
        state=ListState.FILED,
        verified_on=begun,
        notice_from=begun,
        notice_to=ended,
        notice_digest=digest(homes),
        submitted_on=district.day(district.FILED - 1, year),
        reviewed_on=filed,
        filed_on=filed,
    )


def _act(one: VillageList, kind: ListActKind, on: date, by: User) -> ListAct:
    return ListAct(village_list=one, kind=kind, on=on, at=_at(on), by=by)


def _at(on: date) -> datetime:
    return min(datetime.combine(on, time(17), clock.SHANGHAI), clock.now())


def _hang_out(area: Area, year: int, officer: User) -> None:
    """Three days into its notice."""
    with clock.at(clock.now() - timedelta(days=3)):
        one = village_list.verify(area, year, by=officer)
        begin = clock.today()
        village_list.announce(one, begin, begin + timedelta(days=6), by=officer)
        list_papers.add(one, _picture(), title="公示照片", by=officer)


def _picture() -> io.BytesIO:
    """A sheet on a wall; nothing can be read on it."""
    sheet = Image.new("RGB", (640, 480), "#C9D2DA")
    sheet.paste("white", (120, 60, 520, 420))
    file = io.BytesIO()
    sheet.save(file, "JPEG")
    file.seek(0)
    return file


# -- slips ---------------------------------------------------------------------------------


def _slips(accounts: dict[str, User]) -> None:
    """Slips of 钟家庄街道: two in effect, the others wherever a slip can stand."""
    town, office = accounts["zhongjiazhuang"], accounts["quban"]
    here = Household.objects.filter(area__name="泽州东社区").select_related("area__owner")
    homes = here.exclude(listed_on=None).filter(accepted_on=None).order_by("number")[:5]
    heir = people.name(people.NAMES - 1)
    asked: Sequence[tuple[SlipKind, Part, dict[str, str], str, int]] = (
        (SlipKind.HOUSEHOLDER, Part.CHANGES, {"householder": heir}, ChangeSlip.Why.SOLD, 3),
        (SlipKind.VACANT, Part.CHANGES, {}, ChangeSlip.Why.EMPTY, 3),
        (SlipKind.WITHDRAWN, Part.LEAVES, {}, ChangeSlip.Why.GIVEN_UP, 2),
        (
            SlipKind.DEMOLITION,
            Part.CHANGES,
            {"demolition_on": _next_year()},
            ChangeSlip.Why.DEMOLITION,
            1,
        ),
        (SlipKind.WITHDRAWN, Part.LEAVES, {}, ChangeSlip.Why.CONVERTED, 0),
    )
    for n, (home, (kind, part, values, why, far)) in enumerate(zip(homes, asked, strict=False)):
        with clock.at(clock.now() - timedelta(days=9 - n)):
            slip = slips.draft(
                kind,
                [(home, part)],
                by=town,
                basis=f"演示办〔{home.year}〕{n + 1} 号",
                basis_on=clock.today(),
                reason=why,
                note="",
                values=values,
            )
            list_papers.add(slip, _picture(), title="依据扫描件", by=town)
            steps = (
                (slips.submit, town),
                (slips.review, town),
                (slips.approve, office),
            )
            for act, by in steps[:far]:
                act(slip, by=by)


def _next_year() -> str:
    return date(clock.today().year + 1, 5, 1).isoformat()
