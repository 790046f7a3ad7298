"""A village with its list on the way: households that wait, an office for each act, a photo."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

from PIL import Image

from households import clock, path
from households.models import Area, Household, Method, StepKind, User, VillageList
from households.village_lists import list_papers, village_list
from tests import cast as make
from tests.cast import Cast

JUNE = datetime(2026, 6, 1, 2, tzinfo=UTC)


def photo(colour: str = "white") -> io.BytesIO:
    """A picture as a phone sends it."""
    file = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(file, "JPEG")
    file.seek(0)
    file.name = "photo.jpg"
    return file


def waiting(area: Area, n: int = 3, *, by: User, **changes: Any) -> list[Household]:
    """Households of the area that are registered (摸底登记) and wait for being listed."""
    homes = []
    for serial in range(1, n + 1):
        number = f"26-{50 + area.pk % 40:02d}-{serial:04d}"
        fields = {"number": number, "householder": f"测试户{serial}", "door": f"测试路 {serial} 号"}
        fields |= {"method": Method.CENTRAL_HEATING} | changes
        homes.append(make.household(area, **fields))
        path.take(homes[-1], StepKind.SURVEYED, on=clock.today(), by=by)
    return homes


def verified(cast: Cast, area: Area, by: User | None = None) -> VillageList:
    return village_list.verify(area, 2026, by=by or cast.town_officer)


def noticed(cast: Cast, area: Area, by: User | None = None) -> VillageList:
    """Its notice begins today; the photo is there."""
    who = by or cast.town_officer
    one = verified(cast, area, who)
    today = clock.today()
    one = village_list.announce(one, today, today + timedelta(days=6), by=who)
    list_papers.add(one, photo(), title="公示照片", by=who)
    return one


def after_notice(days: int = 8) -> datetime:
    return clock.now() + timedelta(days=days)


def reviewed(cast: Cast, area: Area) -> VillageList:
    """Through its notice and the town's review; the clock of the caller must stand still."""
    one = noticed(cast, area)
    with clock.at(after_notice()):
        village_list.submit(one, by=cast.town_officer)
        return village_list.review(one, by=cast.town_officer)


def filed(cast: Cast, area: Area) -> VillageList:
    """In the plan since nine days after now."""
    one = reviewed(cast, area)
    with clock.at(after_notice(9)):
        village_list.file([one], by=cast.district_officer)
    one.refresh_from_db()
    return one


def a_day() -> date:
    return clock.today()
