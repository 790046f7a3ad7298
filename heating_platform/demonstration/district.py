"""The district of the demonstration: the notice's plan for today's year, households, their steps.

How far each village has come is told by COMPLETE, ACCEPTED and LACKING, line by line. The steps
follow the notice's phases, May 28 to the middle of November; earlier in the year they are squeezed
into the days that have passed, because no step lies in the future.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random

from django.conf import settings

from heating_platform.demonstration import people
from households import clock, numbering, path
from households.models import Area, Household, Method, StepKind, User
from plans import annex1, task_plan
from plans.models import PlanItem, TaskPlan

PLAN_FILE = Path(settings.BASE_DIR) / "plans" / "data" / "annex1_2020.csv"
NAME = "城区"
BASIS = "演示数据（依城政办发〔2020〕17号）"
BEGIN, END = (5, 28), (11, 18)  # first and last day of a step, when the year is old enough
# Households of the plan's 14 lines: complete, of these accepted, and lacking a paper.
COMPLETE = (142, 10, 36, 10, 9, 41, 128, 66, 52, 81, 58, 26, 19, 3)
ACCEPTED = (96, 10, 30, 10, 4, 22, 74, 58, 21, 62, 39, 24, 17, 0)
LACKING = (1, 0, 2, 0, 0, 0, 3, 0, 3, 1, 1, 0, 0, 0)
PROVEN_SHARE, STOVE_REMOVED_SHARE = 0.6, 0.3  # of those accepted
HOUSE_TYPES = ("平房三间", "平房五间", "二层楼房", "单元楼房")


@dataclass
class Home:
    """A household with the days of its steps, as numbers of days since BEGIN."""

    household: Household
    item: PlanItem
    days: dict[StepKind, int] = field(default_factory=dict)
    installer: str = ""  # user name of who puts its unit in, if it gets one

    @property
    def gets_unit(self) -> bool:
        return Method(self.household.method).has_unit

    def on(self, kind: StepKind) -> date:
        """The day of a step that is taken."""
        if self.gets_unit and kind in (StepKind.PROVEN, StepKind.STOVE_REMOVED):
            # Proof is asked of the unit's hours, and these are known of the last two weeks.
            lately = clock.today() - timedelta(days=LAST - self.days[kind])
            return max(self.on(StepKind.ACCEPTED), lately)
        return day(self.days[kind], self.household.year)


def make_plan(year: int) -> TaskPlan:
    """Areas and plan of the year with the notice's numbers and days."""
    district = Area.objects.create(level=Area.Level.DISTRICT, name=NAME)
    return task_plan.store(
        annex1.load(PLAN_FILE),
        district=district,
        year=year,
        basis=BASIS,
        starts_on=date(year, *BEGIN),
        works_done_by=date(year, 10, 10),
        ends_on=date(year, 10, 31),
    ).plan


def make_households(plan: TaskPlan) -> list[Home]:
    """As many households as the plan orders, line by line and method by method, in its order."""
    homes: list[Home] = []
    for item in plan.items.select_related("area__owner"):
        methods = [method for method, n in item.by_method.items() for _ in range(n)]
        numbers = numbering.take(item.area, plan.year, len(methods))
        for n, (method, number) in enumerate(zip(methods, numbers, strict=True), start=1):
            homes.append(Home(_household(item, n, method, number, len(homes)), item))
    Household.objects.bulk_create([home.household for home in homes])
    return homes


def _household(item: PlanItem, n: int, method: Method, number: str, index: int) -> Household:
    dice = Random(index)
    year = item.plan.year
    return Household(
        number=number,
        year=year,
        area=item.area,
        method=method,
        householder=people.name(index),
        phone=people.phone(index + 101),
        door=f"示范巷 {n} 号",
        house_type=dice.choice(HOUSE_TYPES),
        heated_area=dice.randrange(600, 1400) / 10,
        electricity_account=f"SF{index + 1:08d}" if method.has_unit else "",
        # A grid of points, a hundred metres apart: places of nobody in particular.
        latitude=round(35.44 + 0.001 * (n // 20), 6),
        longitude=round(112.78 + 0.02 * (item.seq - 1) + 0.001 * (n % 20), 6),
    )


# -- steps ---------------------------------------------------------------------------------


def plan_steps(homes: list[Home]) -> None:
    """Give each household the days of its steps, so that the lines come as far as told above."""
    by_line: dict[int, list[Home]] = defaultdict(list)
    for home in homes:
        by_line[home.item.seq].append(home)
    told = zip(by_line.values(), COMPLETE, ACCEPTED, LACKING, strict=True)
    for line, complete, accepted, lacking in told:
        order = Random(len(line)).sample(line, len(line))
        for rank, home in enumerate(order):
            done = (rank + 0.5) / complete
            home.days = _days(done, accepted=rank < accepted, index=rank)
            if rank >= complete:
                _stop_short(home, rank - complete, lacks=rank - complete < lacking)


def _days(done: float, *, accepted: bool, index: int) -> dict[StepKind, int]:
    """The whole way of a household of which a share `done` of its line was complete before."""
    dice = Random(index)
    commissioned = _completion_day(min(done, 1.0))
    days = {StepKind.SURVEYED: dice.randrange(0, 14), StepKind.LISTED: FILED}
    days[StepKind.SIGNED] = min(FILED + dice.randrange(0, 12), commissioned - 2)
    days[StepKind.INSTALLED] = max(days[StepKind.SIGNED], commissioned - dice.randrange(1, 9))
    days[StepKind.COMMISSIONED] = commissioned
    if accepted:
        days[StepKind.ACCEPTED] = min(commissioned + dice.randrange(8, 40), LAST - 4)
        if index % 10 < 10 * PROVEN_SHARE:
            days[StepKind.PROVEN] = LAST - dice.randrange(0, 4)
        if index % 10 < 10 * STOVE_REMOVED_SHARE:
            days[StepKind.STOVE_REMOVED] = LAST
    return days


FILED = 22  # day on which the villages' lists are filed: their households are in the plan
LAST = (date(2001, *END) - date(2001, *BEGIN)).days


def _completion_day(done: float) -> int:
    """Slowly at first, most by October 10, the last tenth late."""
    if done < 0.9:
        return 30 + round(105 * math.pow(done / 0.9, 0.8))
    return 135 + round((LAST - 12 - 135) * (done - 0.9) / 0.1)


def _stop_short(home: Home, n: int, *, lacks: bool) -> None:
    """Not complete: without its contract, or waiting for one of the steps before.

    A household of a method with a unit of its own waits for its commissioning: units are all in.
    """
    waits = 0 if home.gets_unit else n % 4
    kept = list(StepKind)[: 4 - min(waits, 2)]
    home.days = {kind: day for kind, day in home.days.items() if kind in kept}
    if lacks:
        home.days.pop(StepKind.SIGNED, None)
        home.days.setdefault(StepKind.INSTALLED, LAST - 20)


def take_steps(homes: list[Home], accounts: dict[str, User]) -> None:
    """Take every step through the path's own door, week by week as offices enter them.

    Of the units that were to be proven those are, with their old stoves, whose hours show it.
    """
    for home in homes:
        _leave_unproven(home)
    recorders = {user.area.name: user for user in accounts.values() if user.area} | accounts
    for sunday, kind, group in _by_week(homes):
        entered = min(datetime.combine(sunday, time(17), clock.SHANGHAI), clock.now())
        taken = [
            path.Taken(home.household, home.on(kind), _recorder(home, kind, recorders))
            for home in group
        ]
        with clock.at(entered):
            path.take_many(kind, taken)


def _leave_unproven(home: Home) -> None:
    kind = StepKind.PROVEN
    gates = path.GATES[kind] if kind in home.days else ()
    if any(gate(home.household, home.on(kind)) for gate in gates):
        del home.days[kind]
        home.days.pop(StepKind.STOVE_REMOVED, None)


def _by_week(homes: list[Home]) -> Iterator[tuple[date, StepKind, list[Home]]]:
    """(Sunday of the week, step, who took it) in the order of entering."""
    weeks: dict[date, dict[StepKind, list[Home]]] = defaultdict(lambda: defaultdict(list))
    for home in homes:
        for kind in home.days:
            on = home.on(kind)
            weeks[on + timedelta(days=6 - on.weekday())][kind].append(home)
    for sunday in sorted(weeks):
        for kind in StepKind:
            if kind in weeks[sunday]:
                yield sunday, kind, weeks[sunday][kind]


def day(number: int, year: int) -> date:
    """The number-th day after BEGIN; in a younger year squeezed into the months before today."""
    today = clock.today()
    earliest = max(date(year, 1, 1), today - timedelta(days=120))
    begin, end = min(date(year, *BEGIN), earliest), min(date(year, *END), today)
    return begin + (end - begin) * number // LAST


def _recorder(home: Home, kind: StepKind, recorders: dict[str, User]) -> User:
    """Who enters the step: town or clerk, the district for the list, the installer for units."""
    if kind == StepKind.LISTED:
        return recorders["quban"]
    if home.installer and kind in (StepKind.INSTALLED, StepKind.COMMISSIONED):
        return recorders[home.installer]
    area = home.item.area
    if kind == StepKind.SURVEYED and area.name in recorders:
        return recorders[area.name]
    return recorders[(area.town or area).name]
