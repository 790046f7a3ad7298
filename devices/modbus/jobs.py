"""One exchange on its way through a line."""

from __future__ import annotations

import asyncio

from devices.modbus.frames import Request
from devices.modbus.timing import UnitOnLine
from devices.modbus.troubles import Trouble
from devices.modbus.varying import Known, Owed, Part

COMMAND, PROBE, POLL = range(3)

Outcome = tuple[int, ...] | Trouble


class Job:
    """One exchange: waiting, in flight, or just over.

    `request` is what goes out next; `parts` are what is to go out instead of what was asked, once
    that was looked at, `part` the one in flight; `masked` is an owed reply that looks like the one
    that is waited for, `before` the newest answer to another request that looked so. `waited` is
    how long it waits beyond the wire time of both frames. `repeats` is how often all parts are to
    be asked once more, since an owed reply would look like the one that is wanted; `said` what
    they brought the time before. `spoiled`: it goes out with a wrong check.
    """

    __slots__ = (
        "address",
        "before",
        "concludes",
        "future",
        "got",
        "masked",
        "part",
        "parts",
        "priority",
        "repeats",
        "request",
        "said",
        "sent_at",
        "spoiled",
        "timeout",
        "unit",
        "waited",
        "wire_s",
    )

    def __init__(
        self,
        address: int,
        unit: UnitOnLine,
        request: Request,
        timeout: float,
        priority: int,
        concludes: bool,
        future: asyncio.Future[tuple[int, ...]],
        spoiled: bool = False,
    ) -> None:
        self.address = address
        self.unit = unit
        self.request = request
        self.timeout = timeout
        self.priority = priority
        self.concludes = concludes
        self.spoiled = spoiled
        self.future: asyncio.Future[tuple[int, ...]] | None = future
        self.parts: list[Part] | None = None
        self.part: Part | None = None
        self.got: tuple[int, ...] = ()
        self.said: tuple[int, ...] = ()
        self.repeats: list[list[Part]] = []
        self.masked: Owed | None = None
        self.before: Known | None = None
        self.sent_at = self.wire_s = self.waited = 0.0

    def ask_in_parts(self, parts: list[Part], repeats: int = 0) -> None:
        """Ask these instead; an empty list leaves the request as it is."""
        self.repeats = [list(parts) for _ in range(repeats)]
        self.parts = parts
        if parts:
            self.next_part()

    def next_part(self) -> None:
        """The first of the parts that are left is what goes out next."""
        assert self.parts
        self.part = self.parts.pop(0)
        self.request = self.part[0]

    def gather(self, values: tuple[int, ...]) -> tuple[int, ...]:
        """What has come of all parts so far."""
        if self.part is None:
            return values
        _, start, stop = self.part
        self.got += values[start:stop]
        return self.got

    def ask_again(self) -> None:
        """All parts once more: as often as they say the same, one of the replies was to them."""
        self.said, self.got = self.got, ()
        self.parts = self.repeats.pop()
        self.next_part()

    def end(self, outcome: Outcome) -> None:
        """Tell the caller, if he is still there; only the job is kept."""
        future, self.future, self.got = self.future, None, ()
        if future is None or future.done():
            return
        if isinstance(outcome, Trouble):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)

    @property
    def is_wanted(self) -> bool:
        """Whether a caller waits for it."""
        return self.future is not None and not self.future.done()
