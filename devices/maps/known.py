"""错一位核对: one register whose content the maker knows, as he writes it in a form."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.http import QueryDict
from django.utils.translation import gettext as _

from devices.modbus import cells
from devices.modbus.cells import BIT_AREAS, CellRefused
from devices.models import KnownRegister


class NotKnown(Exception):
    """It cannot be understood; `sentence` says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Asked:
    """What stands in the form. The address is written as in the map, whose base then holds: that
    is how a map that is off by one is found out."""

    area: str = "holding"
    address: str = ""
    word: str = ""
    error: str = ""

    @classmethod
    def of_form(cls, posted: QueryDict) -> Asked:
        found = (posted.get(f"known_{name}", "").strip() for name in ("area", "address", "word"))
        return cls(*found)

    def with_error(self, sentence: str) -> Asked:
        return replace(self, error=sentence)

    def register(self, base: str) -> KnownRegister | None:
        """None where nothing was filled in; raises NotKnown."""
        if not (self.address or self.word):
            return None
        if not (self.address and self.word):
            raise NotKnown(_("地址和应为的原值要一起填"))
        base = base.strip().lower()
        try:
            named = cells.area_of(self.area) if self.area else None
            area, wire = cells.address(self.address, named, base or "0")
            lowest, highest = (0, 1) if area in BIT_AREAS else (-0x8000, 0xFFFF)
            word = cells.between(self.word, lowest, highest)
        except CellRefused as refusal:
            raise NotKnown(_(refusal.template) % refusal.params) from None
        return KnownRegister(area, wire, word & 0xFFFF)
