"""Rows that may be one household twice: with another row of the file, or with one of the ledger.

Village, name and door, or the number of the electricity account, agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db.models import Q
from django.utils.translation import gettext as _

from households.ledger.cells import Told, reminder
from households.ledger.lines import Line, Place
from households.ledger.remarks import Remarks
from households.ledger.tables import Record
from households.models import Household, User

ROWS = 2**21  # more than a sheet has
NAMING = frozenset(("area_id", "householder", "door", "electricity_account"))


class Twins:
    """Remembers what earlier rows said; one query for each batch of lines."""

    def __init__(self, user: User, remarks: Remarks) -> None:
        self.user, self.remarks = user, remarks
        self._seen: dict[int, int] = {}  # 100,000 rows have 200,000 marks: numbers, not tuples
        self._sheets: list[str] = []

    def look(self, lines: Sequence[Line]) -> None:
        """Rows that may be the same household as another row, or as one of the ledger."""
        looked = [line for line in lines if line.home and _names_itself_anew(line)]
        known = self._known([line.home for line in looked if line.home])
        for line in looked:
            others: dict[str, list[str]] = {}
            for mark, column in _marks(line.home) if line.home else ():
                if other := self._other(line, mark, known):
                    others.setdefault(other, []).append(column)
            for other, columns in others.items():
                self.remarks.tell(line.record, columns[0], _twin(other, columns))

    def _other(self, line: Line, mark: int, known: dict[int, str]) -> str:
        """Who else has this mark, in words; empty where nobody has."""
        here = self._packed(line.record)
        earlier = self._seen.setdefault(mark, here)
        if earlier != here:
            sheet, row = divmod(earlier, ROWS)
            return row_words(line.record, (self._sheets[sheet], row))
        number = known.get(mark)
        if number is None or (line.home and number == line.home.number):
            return ""
        return _("已有 %(number)s") % {"number": number}

    def _packed(self, record: Record) -> int:
        if record.sheet not in self._sheets:
            self._sheets.append(record.sheet)
        return self._sheets.index(record.sheet) * ROWS + record.row

    def _known(self, homes: Sequence[Household]) -> dict[int, str]:
        """The ledger's numbers by their marks, as far as these homes may share them."""
        if not homes:
            return {}
        named = Q(
            area__in={home.area_id for home in homes},
            householder__in={home.householder for home in homes},
        )
        accounts = {home.electricity_account for home in homes} - {""}
        found = named | Q(electricity_account__in=accounts) if accounts else named
        rows = Household.objects.visible_to(self.user).filter(found, withdrawn_on=None).order_by()
        known: dict[int, str] = {}
        for number, *mine, account in rows.values_list(
            "number", "area_id", "householder", "door", "electricity_account"
        ):
            known[hash(tuple(mine))] = known[hash(account)] = number
        return known

    def place_of(self, line: Line) -> Place | None:
        """Where the file itself has the household that a deferred line names."""
        named = (line.area.pk if line.area else 0, line.values.get("householder"))
        packed = self._seen.get(hash((*named, line.values.get("door"))))
        if packed is None:
            return None
        sheet, row = divmod(packed, ROWS)
        return self._sheets[sheet], row


def row_words(record: Record, earlier: tuple[str, int]) -> str:
    sheet, row = earlier
    if sheet == record.sheet:
        return _("本表第 %(row)d 行") % {"row": row}
    return _("表“%(sheet)s”第 %(row)d 行") % {"sheet": sheet, "row": row}


def _twin(other: str, columns: list[str]) -> Told:
    words = {"door": _("姓名、门牌号"), "electricity_account": _("用电户号")}
    told = {"other": other, "what": _("、").join(words[column] for column in columns)}
    return reminder(None, _("与%(other)s %(what)s相同") % told, _("可能重复；确认为另一户，或合并"))


def _names_itself_anew(line: Line) -> bool:
    return line.is_new or not NAMING.isdisjoint(line.changes)


def _marks(home: Household) -> Iterator[tuple[int, str]]:
    """What two entries of one household have in common: its hash, and its column."""
    if home.door:
        yield hash((home.area_id, home.householder, home.door)), "door"
    if home.electricity_account:
        yield hash(home.electricity_account), "electricity_account"
