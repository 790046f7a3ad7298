"""The wall's two drawings as SVG, made on the server: the progress curve and the villages' circles.

Coordinates are pixels of the wall; no text is under 22 px.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import combinations
from math import ceil, cos, hypot, radians, sqrt

from django.utils.translation import gettext as _

from households.templatetags.office import figure
from plans.progress import percent
from plans.wall_figures import Spot, Wall

WIDTH, HEIGHT = 710, 390
LEFT, RIGHT, TOP, BOTTOM = 62, 150, 62, 40  # room for figures, labels, milestones, months
LABEL = 30  # least distance of two labels
MAP_WIDTH, MAP_HEIGHT, MAP_EDGE = 270, 250, 34
LABEL_WIDTH = 50  # room for a rate at the right of a circle
GAP, ROUNDS = 6, 200
LOW_RATE = 80


@dataclass(frozen=True)
class Mark:
    x: float
    y: float
    text: str
    name: str = ""


@dataclass(frozen=True)
class Curve:
    """Lines (due, complete, accepted, forecast) as points of polylines, and all words."""

    lines: dict[str, str]
    labels: list[Mark]
    steps: list[Mark]
    months: list[Mark]
    days: list[Mark]
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True)
class Circle:
    """One village: `r` is its task, `inner` what of it is done, both as areas."""

    x: float
    y: float
    r: float
    inner: float
    is_low: bool
    rate: str
    name: str

    @property
    def room(self) -> float:
        """Its radius, and more where a rate stands beside it."""
        return self.r + 16 if self.rate else self.r


class _Scale:
    def __init__(self, wall: Wall, last: date) -> None:
        self.first = wall.curves.days[0]
        self.span = max((last - self.first).days, 1)
        counts = [n for n in (*wall.curves.due, *wall.curves.complete) if n is not None]
        self.step = _round_step(max([*counts, wall.total.figures.task, 1]))
        self.high = self.step * ceil(max([*counts, wall.total.figures.task, 1]) / self.step)

    def x(self, day: date) -> float:
        share = (day - self.first).days / self.span
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(self, count: float) -> float:
        return round(HEIGHT - BOTTOM - count / self.high * (HEIGHT - TOP - BOTTOM), 1)


def curve(wall: Wall) -> Curve:
    curves, plan = wall.curves, wall.plan
    ready = curves.forecast(wall.total.figures.task)
    near = ready is not None and ready <= curves.days[-1] + timedelta(days=60)
    last = max(curves.days[-1], ready) if near and ready else curves.days[-1]
    scale = _Scale(wall, last)
    by_name: dict[str, Sequence[int | None]] = {
        "due": curves.due,
        "complete": curves.complete,
        "accepted": curves.accepted,
    }
    lines = {name: _points(scale, curves.days, counts) for name, counts in by_name.items()}
    figures = wall.total.figures
    if near and ready and figures.complete < figures.task and curves.today <= last:
        ends = ((curves.today, figures.complete), (ready, figures.task))
        lines["forecast"] = " ".join(f"{scale.x(day)},{scale.y(n)}" for day, n in ends)
    milestones = (
        (curves.today, _("今日")),
        (plan.works_done_by, plan.works_done_by.strftime("%m-%d")),
    )
    return Curve(
        lines,
        _labels(wall, scale),
        [Mark(LEFT, scale.y(n), figure(n)) for n in range(0, scale.high + 1, scale.step)],
        list(_months(scale, last)),
        _apart([Mark(scale.x(day), TOP - 12, words) for day, words in milestones]),
    )


def _round_step(highest: int) -> int:
    """Steps of 1, 2 or 5 times a power of ten, so that at most five lines are drawn."""
    power = 1
    while True:
        for base in (1, 2, 5):
            if highest <= 4 * base * power:
                return base * power
        power *= 10


def _points(scale: _Scale, days: list[date], counts: Sequence[int | None]) -> str:
    known = [(day, n) for day, n in zip(days, counts, strict=True) if n is not None]
    return " ".join(f"{scale.x(day)},{scale.y(n)}" for day, n in known)


def _labels(wall: Wall, scale: _Scale) -> list[Mark]:
    """Each line is named at its newest end; the lower label gives way."""
    figures, x = wall.total.figures, scale.x(wall.curves.today) + 14
    high = scale.y(figures.complete) + 8
    low = max(scale.y(figures.accepted) + 8, high + LABEL)
    return [
        Mark(x, high, f"{_('完工')} {figure(figures.complete)}", "complete"),
        Mark(
            x, min(low, HEIGHT - BOTTOM - 4), f"{_('验收')} {figure(figures.accepted)}", "accepted"
        ),
    ]


def _months(scale: _Scale, last: date) -> Iterator[Mark]:
    """The first of each month, every second one where they stand close."""
    months = [day for n in range(scale.span + 1) if (day := scale.first + timedelta(n)).day == 1]
    every = 1 if len(months) <= 6 else 2
    for day in months[::every]:
        yield Mark(scale.x(day), HEIGHT - 8, _("%(n)d 月") % {"n": day.month})


def _apart(marks: list[Mark]) -> list[Mark]:
    """Two milestones that stand close: the second is written one line higher."""
    first, second = marks
    if abs(first.x - second.x) < 90:
        second = Mark(second.x, second.y - LABEL, second.text)
    return [first, second]


def circles(spots: list[Spot]) -> list[Circle]:
    """Villages where they lie, as circles whose area is their task; true to scale in both ways."""
    if not spots:
        return []
    shrink = cos(radians(spots[0].latitude))
    places = [(spot.longitude * shrink, spot.latitude) for spot in spots]
    xs, ys = [x for x, _y in places], [y for _x, y in places]
    wide, high = MAP_WIDTH - 2 * MAP_EDGE, MAP_HEIGHT - 2 * MAP_EDGE
    unit = min(wide / ((max(xs) - min(xs)) or 1), high / ((max(ys) - min(ys)) or 1))
    most = max(spot.row.figures.task for spot in spots) or 1
    middle = (max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2
    found = [
        _circle(spot, (x - middle[0]) * unit, (middle[1] - y) * unit, most)
        for spot, (x, y) in zip(spots, places, strict=True)
    ]
    return _side_by_side(sorted(found, key=lambda circle: -circle.r))


def _side_by_side(found: list[Circle]) -> list[Circle]:
    """Circles that cover one another move apart, as little as needed, within the picture."""
    at = [[circle.x, circle.y + (-1) ** n] for n, circle in enumerate(found)]
    for _round in range(ROUNDS):
        for one, two in combinations(range(len(found)), 2):
            _push(at[one], at[two], found[one].room + found[two].room + GAP)
        for place, circle in zip(at, found, strict=True):
            place[0] = min(max(place[0], circle.r), MAP_WIDTH - circle.r - LABEL_WIDTH)
            place[1] = min(max(place[1], circle.r), MAP_HEIGHT - circle.r)
    return [
        replace(circle, x=round(x, 1), y=round(y, 1))
        for circle, (x, y) in zip(found, at, strict=True)
    ]


def _push(one: list[float], two: list[float], apart: float) -> None:
    """Both move half of what they lack to be `apart`."""
    wide, high = two[0] - one[0], two[1] - one[1]
    distance = hypot(wide, high) or 1.0
    if (lacking := apart - distance) > 0:
        for place, sign in ((one, -1), (two, 1)):
            place[0] += sign * lacking / 2 * wide / distance
            place[1] += sign * lacking / 2 * high / distance


def _circle(spot: Spot, x: float, y: float, most: int) -> Circle:
    figures = spot.row.figures
    r = max(6.0, 24 * sqrt(figures.task / most))
    done = min(figures.complete / figures.task, 1.0) if figures.task else 0.0
    rate = percent(figures.complete, figures.task)
    is_low = rate is not None and rate < LOW_RATE
    words = f"{rate:.0f}%" if rate is not None and is_low else ""
    at = round(MAP_WIDTH / 2 + x, 1), round(MAP_HEIGHT / 2 + y, 1)
    return Circle(*at, round(r, 1), round(r * sqrt(done), 1), is_low, words, spot.row.area.name)
