"""What a row says of a household, held against the ledger: many rows at once, in few queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from copy import copy
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from households import clock
from households.entry import household_rules
from households.ledger.cells import Told, mistake, reminder
from households.ledger.coordinates import Pair, faulty, is_same, one_alone, position
from households.ledger.lines import STEPS, Line
from households.ledger.outliers import Outliers
from households.ledger.people import Masked
from households.ledger.places import Places, beyond
from households.ledger.remarks import Remarks
from households.ledger.tables import Record
from households.ledger.twins import Twins, row_words
from households.models import FormerNumber, Household, SiteKind, StepKind, User
from households.phones import masked
from households.village_lists.slips import Locks

POSITION = ("longitude", "latitude", "position")
NEEDED = ("householder", "method")
# What an empty cell means where it is not None.
EMPTY: dict[str, Any] = {
    "site_kind": SiteKind.HOUSEHOLD,
    "in_demolition_plan": False,
    "vacant": False,
    "seasonal": False,
    "in_network_area": False,
    "heated_area": None,
    "rooms": None,
    "accuracy_m": None,
    "demolition_on": None,
}
WEIGHED = ("heated_area", "latitude")  # against the village's other rows, see `outliers`


class Judge:
    """Judges batches of lines about households; remembers what earlier rows of the file said."""

    def __init__(
        self, user: User, places: Places, remarks: Remarks, since: datetime | None = None
    ) -> None:
        self.user, self.places, self.remarks, self.since = user, places, remarks, since
        self.outliers = Outliers()
        self.locks = Locks()
        self._blank = Household()
        self._numbers: dict[str, tuple[str, int]] = {}
        self.twins = Twins(user, remarks)
        # Rows that name a household which the ledger does not have: perhaps the file does.
        self.deferred: list[Line] = []

    def judge(self, lines: Sequence[Line]) -> None:
        """Find each line's household, what it changes, and what is wrong with it."""
        for line in lines:
            self._place(line)
        self._find(lines)
        for line in lines:
            if line.home is not None and line.shape.names_only:
                self._tell_differences(line, line.home)
            elif line.home is not None:
                self._compare(line, line.home)
        self.twins.look(lines)

    # -- which household ---------------------------------------------------------------------

    def _place(self, line: Line) -> None:
        """The area that the row names; a row with a 户编号 need not name one."""
        town, village = line.values.get("town"), line.values.get("village")
        if line.values.get("number") and not town and not village:
            return
        found = self.places.find(town, village)
        line.area = found.area
        if found.told:
            self.remarks.tell(line.record, found.key, found.told)

    def _find(self, lines: Sequence[Line]) -> None:
        """Households by their numbers, within the user's reach; the others are new."""
        numbered = [line for line in lines if line.values.get("number")]
        known = self._known([line.values["number"] for line in numbered])
        unnumbered: list[Line] = []
        for line in lines:
            number = line.values.get("number")
            if not number and line.shape.names_only:
                unnumbered.append(line)
            elif not number:
                self._begin(line)
            elif not line.shape.names_only and (earlier := self._numbers.get(number)):
                self._told(line, "number", _twice(line.record, earlier))
            elif number in known:
                line.home = known[number]
            else:
                self._told(line, "number", self._unknown(number))
            if number and not line.shape.names_only:
                self._numbers.setdefault(number, (line.record.sheet, line.record.row))
        self._find_by_name([line for line in unnumbered if line.area])

    def _find_by_name(self, lines: Sequence[Line]) -> None:
        """Households of rows that only name one: by village, name and, among namesakes, door."""
        if not lines:
            return
        names = {line.values.get("householder") or "" for line in lines}
        rows = Household.objects.visible_to(self.user).filter(
            area__in={line.area.pk for line in lines if line.area}, householder__in=names - {""}
        )
        namesakes: dict[tuple[int, str], list[Household]] = defaultdict(list)
        for home in rows.order_by("number"):
            namesakes[home.area_id, home.householder].append(home)
        for line in lines:
            self._choose(line, namesakes)

    def _choose(self, line: Line, namesakes: dict[tuple[int, str], list[Household]]) -> None:
        name, door = line.values.get("householder"), line.values.get("door")
        found = namesakes.get((line.area.pk if line.area else 0, name or ""), [])
        if len(found) > 1:
            found = [home for home in found if home.door == door] or found
        if len(found) == 1:
            line.home = found[0]
        elif found:
            reason = _("本村有 %(n)d 户同名") % {"n": len(found)}
            self._told(line, "householder", mistake(reason, _("填户编号或门牌号")))
        else:
            self.deferred.append(line)

    def _known(self, numbers: Sequence[str]) -> dict[str, Household]:
        if not numbers:
            return {}
        rows = Household.objects.visible_to(self.user).filter(number__in=numbers)
        known = {home.number: home for home in rows.order_by()}
        self._former = self._merged(set(numbers) - set(known))
        return known

    def _merged(self, numbers: Iterable[str]) -> dict[str, str]:
        """The numbers that households now have which had these before a merge."""
        if not numbers:
            return {}
        seen = Household.objects.visible_to(self.user)
        rows = FormerNumber.objects.filter(number__in=numbers, household__in=seen)
        return dict(rows.values_list("number", "household__number"))

    def _unknown(self, number: str) -> Told:
        if now := self._former.get(number):
            return mistake(_("已并入 %(number)s") % {"number": now}, _("改成现在的编号"))
        reason = beyond(self.user, _("没有这个户编号"))
        return mistake(reason, _("核对编号；新增的户请清空，由平台编号"))

    def _begin(self, line: Line) -> None:
        """A household that is not there yet, where the row has what it needs."""
        lacking = [key for key in NEEDED if not line.values.get(key)]
        for key in lacking:
            self._told(line, key, _lacks(line.record, key))
        if line.area is None or lacking:
            return
        line.is_new = True
        year = line.values.get("year") or clock.today().year
        line.home = copy(self._blank)  # a third of the time that making one takes
        line.home.area, line.home.year = line.area, year

    # -- what it changes ---------------------------------------------------------------------

    def _tell_differences(self, line: Line, home: Household) -> None:
        """A row that only names its household may name it otherwise than the ledger does."""
        phone = line.values.get("phone")
        if isinstance(phone, Masked) and phone != masked(home.phone):
            self._told(line, "phone", _other_mask())
        for key in ("householder", "door"):
            said, kept = line.values.get(key), getattr(home, key)
            if said and kept and said != kept:
                reason = _("台账里是“%(kept)s”，不改台账") % {"kept": kept}
                self._told(line, key, reminder(None, reason))

    def _compare(self, line: Line, home: Household) -> None:
        said = self._said(line, home)
        line.changes = {name: value for name, value in said.items() if _differs(home, name, value)}
        if not line.is_new:
            self._check_allowed(line, home)
        for name, value in line.changes.items():
            setattr(home, name, value)
        self._apply_rules(line, home)
        self._take_steps(line, home)

    def _said(self, line: Line, home: Household) -> dict[str, Any]:
        """The row's values by field; cells that leave the household as it is are left out."""
        values = line.values
        said = {
            name: EMPTY.get(name, "") if values[key] is None else values[key]
            for key, name in line.shape.fields
            if key in values
        }
        for name in ("phone", "other_phone"):
            if isinstance(said.get(name), Masked):
                self._unmask(line, home, name, said)
        if not line.is_new:
            self._keep_what_is_needed(line, said)
        self._put_position(line, home, said)
        if line.area is not None and line.area.pk != home.area_id:
            said["area_id"] = line.area.pk
        return said

    def _unmask(self, line: Line, home: Household, name: str, said: dict[str, Any]) -> None:
        """138****0043 means the stored number, where it is that number's mask."""
        typed = said.pop(name)
        if not line.is_new and typed == masked(getattr(home, name)):
            return
        if line.is_new:
            told = mistake(_("新增的户不能填打码的号码"), _("填完整号码"))
        else:
            told = _other_mask()
        self._told(line, name, told)

    def _keep_what_is_needed(self, line: Line, said: dict[str, Any]) -> None:
        for key in NEEDED:
            if key in said and not said[key]:
                self._told(line, key, _lacks(line.record, key))
                del said[key]

    def _put_position(self, line: Line, home: Household, said: dict[str, Any]) -> None:
        x, y = line.values.get("longitude"), line.values.get("latitude")
        both = line.values.get("position")
        if isinstance(both, Pair):
            x, y = both
        elif both is not None:
            self._told(line, "position", one_alone())
            return
        told = [key in line.values for key in POSITION if key in line.record.places]
        if not told or not all(told):  # no such columns, or one of them is a mistake already
            return
        source = said.get("position_source", home.position_source) or ""
        point = position(x, y, source)
        if isinstance(point, Told):
            self._told(line, faulty(line.values), point)
            if point.severity == "mistake":
                return
            point = point.value
        if point is None:
            said |= {"longitude": None, "latitude": None}
        elif not (home.longitude and home.latitude) or not is_same(
            point, (home.longitude, home.latitude)
        ):
            said["longitude"], said["latitude"] = point

    def _check_allowed(self, line: Line, home: Household) -> None:
        """What is locked, or was changed by somebody else since the officer looked."""
        year = line.values.get("year")
        if year and year != home.year:
            told = mistake(
                _("年度不能改，台账里是 %(year)d") % {"year": home.year}, _("恢复原来的年度")
            )
            self._told(line, "year", told)
        if not line.changes:
            return
        if self.since and home.updated_at > self.since:
            told = mistake(_("检查之后该户又有人改过"), _("重新导出这一户，改好后再导入"))
            self._told(line, "number", told)
        locked = self.locks.of(home)
        for name in locked.keys() & {_plain(name) for name in line.changes}:
            key = "village" if name == "area" else name
            self._told(line, key, mistake(locked[name], _("改用变更单，或恢复原来的内容")))

    def _apply_rules(self, line: Line, home: Household) -> None:
        """The rules about one row, of what the row says anew."""
        if not line.is_new and not line.changes:
            return
        for name, words in home.mistakes().items():
            if name in line.changes:
                self._told(line, name, mistake(words, _("改正后重新上传")))
        for name, words in household_rules.reminders(home).items():
            if name in line.changes and name not in WEIGHED:
                self._told(line, name, reminder(None, words))
        self._weigh(line, home)

    def _weigh(self, line: Line, home: Household) -> None:
        changed = line.changes
        if "heated_area" in changed and home.heated_area and home.site_kind == "household":
            self.outliers.add_area(line.record, home)
        if "latitude" in changed:
            self.outliers.add_position(line.record, home)

    # -- steps -------------------------------------------------------------------------------

    def _take_steps(self, line: Line, home: Household) -> None:
        """Days of steps that are not as the household has them; a new household whose row has
        what 摸底登记 needs is registered today."""
        for kind in STEPS:
            on = line.values.get(f"{kind}_on")
            if isinstance(on, date) and on != getattr(home, f"{kind}_on"):
                self._take_step(line, kind, on)
        if line.steps and home.withdrawn_on:
            told = {"day": home.withdrawn_on}
            reason = _("该户已于 %(day)s 退出改造") % told
            key = f"{next(iter(line.steps))}_on"
            self._told(line, key, mistake(reason, _("清空办理日期，或先办变更单")))
        if (
            line.is_new
            and StepKind.SURVEYED not in line.steps
            and household_rules.may_be_surveyed(home)
        ):
            line.steps[StepKind.SURVEYED] = clock.today()
        self._compare_days(line, home)

    def _take_step(self, line: Line, kind: StepKind, on: date) -> None:
        if on > clock.today():
            told = mistake(_("日期还没有到"), _("填实际办理的日期"))
            self._told(line, f"{kind}_on", told)
        else:
            line.steps[kind] = on

    def _compare_days(self, line: Line, home: Household) -> None:
        signed = line.steps.get(StepKind.SIGNED, home.signed_on)
        installed = line.steps.get(StepKind.INSTALLED)
        if installed and signed and signed > installed:
            reason = _("晚于安装日期 %(day)s") % {"day": installed}
            told = reminder(None, reason, _("先合同、后改造；确认后记为手续不全"))
            self._told(line, "signed_on", told)

    def _told(self, line: Line, key: str, told: Told) -> None:
        self.remarks.tell(line.record, key, told)


# -- words and small questions ---------------------------------------------------------------


def _differs(home: Household, name: str, value: Any) -> bool:
    return bool(getattr(home, name) != value)


def _plain(name: str) -> str:
    return name.removesuffix("_id")


def _lacks(record: Record, key: str) -> Told:
    words = {"householder": _("没有姓名"), "method": _("没有改造方式")}
    advice = {
        "householder": _("填住户姓名"),
        "method": _("从下拉选：集中供热、电代煤、气代煤、工业余热"),
    }
    return mistake(words[key], advice[key])


def _other_mask() -> Told:
    return mistake(_("打码的号码与台账里的不符"), _("填完整号码；不改就保持导出时的样子"))


def _twice(record: Record, earlier: tuple[str, int]) -> Told:
    reason = _("与%(row)s重复") % {"row": row_words(record, earlier)}
    return mistake(reason, _("两行是同一户则删一行，否则清空由平台编号"))
