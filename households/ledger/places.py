"""Towns and villages of a workbook: by what the cells say, within what the user may see."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from households.ledger.cells import Told, mistake, nearest, reminder
from households.models import Area, User

SCATTERED = frozenset(("", "散户", "(散户)", "镇直", "街道直属", "无", "-", "/"))
TOWN_ENDS = re.compile(r"(?:街道办事处|镇人民政府|镇政府|办事处|街道办|街道|镇|乡)$")
ABOVE = re.compile(r"^(?:[^省市区县]{1,8}(?:省|市|区|县)){1,3}(?=.)")  # 城区南村镇
VILLAGE_ENDS = re.compile(r"(?:村民委员会|居民委员会|村委会|居委会|村委|居委|行政村|社区|村)$")
Names = dict[str, list[Area]]


@dataclass(frozen=True, slots=True)
class Found:
    """The area that a row means, or what is wrong, and in which column (town or village)."""

    area: Area | None = None
    told: Told | None = None
    key: str = "village"


class Places:
    """Answers which area two cells mean. One query, then from memory.

    What the user may not see is not there for him: the answer for a foreign village is that of a
    village that does not exist.
    """

    def __init__(self, user: User) -> None:
        rows = Area.objects.visible_to(user).select_related("owner")
        seen = [area for area in rows if area.level != Area.Level.DISTRICT]
        self._visible = {area.pk: area for area in seen}
        towns = {area.town.pk: area.town for area in seen if area.town}
        self._towns = _named(towns.values(), TOWN_ENDS)
        self._villages = _named(
            (area for area in seen if area.level == Area.Level.VILLAGE), VILLAGE_ENDS
        )
        self._known: dict[tuple[str | None, str | None], Found] = {}
        self._no_town = beyond(user, _("没有此镇（街道）"))

    def __getitem__(self, pk: int) -> Area:
        return self._visible[pk]

    def find(self, town: str | None, village: str | None) -> Found:
        """`town` and `village` as cleaned; None where the cell is empty or there is no column."""
        key = (town, village)
        if key not in self._known:
            self._known[key] = self._find(town, village)
        return self._known[key]

    def _find(self, town: str | None, village: str | None) -> Found:
        if town is None:
            return self._by_village(village or "")
        homes = _matching(self._towns, town, TOWN_ENDS) or _matching(
            self._towns, ABOVE.sub("", _bare(town)), TOWN_ENDS
        )
        if not homes:
            near = nearest(_bare(town), self._names(self._towns))
            advice = near or _("从下拉选镇（街道）")
            return Found(None, mistake(self._no_town, advice), "town")
        found = self._within(homes[0], village)
        if found.told or _is_street(town) in (None, _is_street(homes[0].name)):
            return found
        told = reminder(None, _("按“%(name)s”记") % {"name": homes[0].name})
        return Found(found.area, told, "town")

    def _within(self, town: Area, village: str | None) -> Found:
        if _bare(village or "") in SCATTERED:
            return self._scattered(town, village)
        own = ABOVE.sub("", _bare(village or "")).removeprefix(_bare(town.name))
        found = _matching(self._villages, village or "", VILLAGE_ENDS) or _matching(
            self._villages, own, VILLAGE_ENDS
        )
        here = [area for area in found if area.owner_id == town.pk]
        if here:
            return self._taken(here, village or "")
        reason = _("%(town)s没有此村（社区）") % {"town": town.name}
        if found and found[0].owner:
            advice = _("它属于“%(town)s”？核对镇（街道）") % {"town": found[0].owner.name}
            return Found(None, mistake(reason, advice))
        mine = [area.name for area in self._visible.values() if area.owner_id == town.pk]
        return Found(None, mistake(reason, self._advice(village or "", mine)))

    def _scattered(self, town: Area, village: str | None) -> Found:
        """Households of the town itself; only for who answers for the whole town."""
        if town.pk not in self._visible:
            return Found(None, mistake(_("没有写村（社区）"), _("填村（社区）")))
        if village is not None:
            return Found(town)
        told = reminder(None, _("没有写村（社区），按散户记"), _("散户填（散户），否则补村名"))
        return Found(town, told)

    def _by_village(self, village: str) -> Found:
        if _bare(village) in SCATTERED:
            advice = _("每一行都填镇（街道）、村（社区）；与上一行相同的可写“同上”")
            return Found(None, mistake(_("没有写镇（街道）"), advice), "town")
        found = _matching(self._villages, village, VILLAGE_ENDS)
        if len(found) > 1:
            towns = _("、").join(area.owner.name for area in found if area.owner)
            reason = _("几个镇（街道）都有此村（社区）：%(towns)s") % {"towns": towns}
            return Found(None, mistake(reason, _("填镇（街道）")))
        if not found:
            known = self._names(self._villages)
            return Found(None, mistake(_("没有此村（社区）"), self._advice(village, known)))
        return self._taken(found, village)

    def _taken(self, found: list[Area], typed: str) -> Found:
        area = found[0]
        if _bare(area.name) == _bare(typed):
            return Found(area)
        return Found(area, reminder(None, _("按“%(name)s”记") % {"name": area.name}))

    def _advice(self, village: str, known: list[str]) -> str:
        near = nearest(_bare(village), known)
        return _("%(near)s改后重新上传") % {"near": near} if near else _("从下拉选村（社区）")

    @staticmethod
    def _names(named: Names) -> list[str]:
        return [area.name for areas in named.values() for area in areas]


def beyond(user: User, reason: str) -> str:
    """The reason as it is told to somebody who does not see the whole district: what he may not
    see, and what is not there, are told in the same words."""
    return reason if user.sees_whole_district else _("%(reason)s，或不归您管") % {"reason": reason}


def _named(areas: Iterable[Area], ends: re.Pattern[str]) -> Names:
    named: Names = defaultdict(list)
    for area in areas:
        named[_bare(area.name)].append(area)
        if (short := ends.sub("", _bare(area.name))) != _bare(area.name):
            named[f"~{short}"].append(area)
    return named


def _is_street(town: str) -> bool | None:
    """Whether a name is that of a 街道, or of a 镇 or 乡; None for a name without."""
    end = TOWN_ENDS.search(_bare(town))
    return end[0][0] in "街办" if end else None


def _matching(named: Names, typed: str, ends: re.Pattern[str]) -> list[Area]:
    """Areas of exactly this name, else those that differ by 村, 社区 and the like alone."""
    name = _bare(typed)
    if name in named:
        return named[name]
    short = ends.sub("", name)
    return [*named.get(f"~{short}", ()), *(named.get(short, ()) if short != name else ())]


def _bare(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace(" ", "")
