"""A reading visit to one unit: the blocks of its plan, and what came of each.

Nothing that was not read now is ever returned as read.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from devices.modbus import frames
from devices.modbus.blocks import Block, Plan
from devices.modbus.cells import Area
from devices.modbus.line import POLL, Line
from devices.modbus.points import Value
from devices.modbus.troubles import ExceptionReply, ExchangeFailed, LineDown, NoAnswer
from devices.modbus.words import N_, Sentence

AREA_NAMES: dict[Area, str] = {
    "coil": N_("线圈"),
    "discrete": N_("离散输入"),
    "input": N_("输入寄存器"),
    "holding": N_("保持寄存器"),
}
_SPLITTING = (2, 3, 4)
_SILENCES_IN_A_VISIT = 4

Reply = Sequence[int] | str


class UnitRead(NamedTuple):
    """What a visit read: every readable point with its quality, and what went wrong.

    `splits` are the blocks of the plan that this unit does not answer whole, though it answers
    their points: `blocks.plan(…, splits=…)` spares the next visit the finding out. `replies` are
    what the blocks of `plan` brought.
    """

    points: dict[str, Value]
    requests: int
    errors: list[Sentence]
    answered: bool
    splits: tuple[Block, ...]
    plan: Plan
    replies: Sequence[Reply]


async def read(
    line: Line,
    address: int,
    plan: Plan,
    *,
    timeout: float = 1.0,
    priority: int = POLL,
    patience: int = 2,
) -> UnitRead:
    """Read a plan's blocks of one unit; never raises for what units and lines do.

    A block that answers exception 2, 3 or 4, or stays silent though it was never read whole, is
    read apart once, so that one missing register does not lose its neighbours. A unit that
    never answers is left alone after `patience` requests; 1 is for one known to be silent.
    """
    line.unit(address).cuts = plan.cuts
    visit = _Reading(line, address, timeout, priority, patience)
    replies = [await visit.ask(block) for block in plan.blocks]
    if visit.failed:
        plan, replies = await visit.apart(plan)
    return visit.result(plan, replies)


async def again(
    line: Line, address: int, before: UnitRead, blocks: Collection[Block], *, timeout: float = 1.0
) -> UnitRead:
    """The same visit with these blocks of its plan read once more; never raises, like `read`."""
    visit = _Reading(line, address, timeout, POLL, patience=1)
    replies = [
        await visit.ask(block) if block in blocks else reply
        for block, reply in zip(before.plan.blocks, before.replies, strict=True)
    ]
    return visit.result(before.plan, replies)


class _Reading:
    """One reading visit: its answers by block, its silences, and when to give up."""

    def __init__(
        self, line: Line, address: int, timeout: float, priority: int, patience: int
    ) -> None:
        self.requests = 0
        self.answered = False
        self.failed: dict[Block, ExchangeFailed] = {}
        self.splits: tuple[Block, ...] = ()
        self._line = line
        self._address = address
        self._timeout = timeout
        self._priority = priority
        self._patience = patience
        self._unit = line.unit(address)
        self._replies: dict[Block, Reply] = {}
        self._silences = 0
        self._down: LineDown | None = None

    async def ask(self, block: Block) -> Reply:
        """The words of a block, or the quality of every point in it."""
        if self._given_up():
            self._replies[block] = "not_answered"
            return "not_answered"
        request = frames.read(block.area, block.address, block.count)
        try:
            reply: Reply = await self._line.exchange(
                self._address, request, timeout=self._timeout, priority=self._priority
            )
            self.answered = True
            self._unit.answers_whole(block)
        except ExchangeFailed as failure:
            reply = self._note(block, failure)
        if not self._down:
            self.requests += 1
        self._replies[block] = reply
        return reply

    async def apart(self, plan: Plan) -> tuple[Plan, list[Reply]]:
        """The plan with the blocks that failed for a reason of their own read point by point."""
        suspects = [block for block in plan.blocks if self._is_suspect(block)]
        for block in suspects:
            if self._given_up():
                break
            plan = await self._split(plan, block)
        return plan, [self._replies[block] for block in plan.blocks]

    async def _split(self, plan: Plan, block: Block) -> Plan:
        finer = plan.split(block)
        pieces = [piece for piece in finer.blocks if piece not in self._replies]
        if not pieces:  # a block of one point
            return plan
        for piece in pieces:
            await self.ask(piece)
        if any(not isinstance(self._replies[piece], str) for piece in pieces):
            self.splits += (block,)
        del self.failed[block]
        return finer

    def result(self, plan: Plan, replies: Sequence[Reply]) -> UnitRead:
        return UnitRead(
            plan.decode(replies),
            self.requests,
            self.sentences(),
            self.answered,
            self.splits,
            plan,
            replies,
        )

    def sentences(self) -> list[Sentence]:
        """What went wrong; one sentence where nothing answered at all."""
        if self._down:
            return [self._down.sentence]
        if self.failed and not self.answered:
            template = N_("设备 %(address)d 没有应答：%(why)s")
            why = next(iter(self.failed.values())).sentence
            return [Sentence(template, address=self._address, why=why)]
        return [_failed(block, failure) for block, failure in self.failed.items()]

    def _given_up(self) -> bool:
        patience = _SILENCES_IN_A_VISIT if self.answered else self._patience
        return self._down is not None or self._silences >= patience

    def _note(self, block: Block, failure: ExchangeFailed) -> str:
        self.failed[block] = failure
        if isinstance(failure, LineDown):
            self._down = failure
        elif isinstance(failure, ExceptionReply):
            self.answered = True
            return f"exception:{failure.code}"
        else:
            self._silences += 1
        return "not_answered"

    def _is_suspect(self, block: Block) -> bool:
        failure = self.failed.get(block)
        if isinstance(failure, ExceptionReply):
            return failure.code in _SPLITTING
        return isinstance(failure, NoAnswer) and block not in self._unit.answered


def _failed(block: Block, failure: ExchangeFailed) -> Sentence:
    return Sentence(
        N_("%(area)s %(address)d 起 %(count)d 个：%(why)s"),
        area=AREA_NAMES[block.area],
        address=block.address,
        count=block.count,
        why=failure.sentence,
    )
