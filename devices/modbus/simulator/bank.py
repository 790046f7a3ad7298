"""The registers and bits of one unit: which exist, what they hold, how holes behave."""

from __future__ import annotations

from collections.abc import Iterable

from devices.modbus.simulator.maps import AREAS


class Silence(Exception):
    """The unit does not answer at all."""


class Refused(Exception):
    """The unit answers with a Modbus exception."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exception {code}")
        self.code = code


ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, DEVICE_FAILURE = 1, 2, 3, 4


class Bank:
    """Words by area and address. `holes` says what lies between them: zero, exception, silent."""

    def __init__(self, holes: str) -> None:
        self.holes = holes
        self.words: dict[str, dict[int, int]] = {area: {} for area in AREAS}
        self.pinned: dict[tuple[str, int], int] = {}

    def add(self, area: str, addresses: Iterable[int]) -> None:
        for address in addresses:
            self.words[area].setdefault(address, 0)

    def put(self, area: str, address: int, words: Iterable[int], mask: int | None = None) -> None:
        """Set words; with a mask only its bits of the (single) word."""
        here = self.words[area]
        for at, word in enumerate(words, start=address):
            if mask is not None:
                word = here[at] & ~mask | word & mask
            here[at] = self.pinned.get((area, at), word)

    def pin(self, area: str, address: int, word: int | None) -> None:
        """Hold a register at a raw word whatever the house does; None lets go."""
        if word is None:
            self.pinned.pop((area, address), None)
        else:
            self.pinned[area, address] = word
            self.words[area][address] = word

    def read(self, area: str, address: int, count: int) -> list[int]:
        """The words from `address` on; raises Refused or Silence where there are none."""
        here = self.words[area]
        try:
            return [here[at] for at in range(address, address + count)]
        except KeyError:
            return self._read_over_holes(here, address, count)

    def _read_over_holes(self, here: dict[int, int], address: int, count: int) -> list[int]:
        outside = not here or address < min(here) or address + count - 1 > max(here)
        if outside or self.holes == "exception":
            raise Refused(ILLEGAL_ADDRESS)
        if self.holes == "silent":
            raise Silence
        return [here.get(at, 0) for at in range(address, address + count)]
