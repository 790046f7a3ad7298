"""Writing to a sample directly, without the platform: for the shell, and for tests.

What a test changes is owed from before its first byte on, and `restore_all` puts it back however
the test ended, as soon as the sample is there again. Off is never owed, so never the last step.
What is owed may be kept in a file, so that the next run puts it back where this one was killed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from devices.modbus import blocks, visits
from devices.modbus.bench.bench import PATIENCE
from devices.modbus.bench.owed_file import OwedFile
from devices.modbus.line import COMMAND, Line
from devices.modbus.pointmap import PointMap
from devices.modbus.points import Scalar
from devices.modbus.visits import WriteResult
from devices.modbus.words import N_, Sentence
from devices.modbus.writing import READ_AGAIN_S

WRITES_OF_A_RUN = 20
_PAUSES_S = (1.0, 2.0, 5.0, 10.0, 30.0)


class DirectWrites:
    """Writes to one sample over its line, spaced as its map and the policy ask.

    `space_s` is the least time between two writes (s), `read_again_s` as of `visits.write`,
    `most` how many test writes a run may make. `file` keeps what is owed, and may hold what a
    former run still owes.
    """

    def __init__(
        self,
        line: Line,
        address: int,
        map: PointMap,
        *,
        module: int | None = None,
        space_s: float = 3.0,
        read_again_s: Sequence[float] = READ_AGAIN_S,
        most: int = WRITES_OF_A_RUN,
        file: OwedFile | None = None,
    ) -> None:
        here = map.for_module(module)
        stated = here.settings.reply_timeout_ms
        patient = replace(here.settings, reply_timeout_ms=PATIENCE * stated)
        self._line, self._address = line, address
        self._map = replace(here, settings=patient)
        self._space_s = max(space_s, here.settings.min_write_interval_s)
        self._read_again_s = read_again_s
        self._left = most
        self._written_at = float("-inf")
        self._file = file
        self._owed: dict[str, Scalar] = file.read() if file else {}

    @property
    def owed(self) -> Mapping[str, Scalar]:
        """What stood before, of each signal that may still have a test's value."""
        return dict(self._owed)

    async def write(self, signal: str, target: Scalar) -> WriteResult:
        """See Writes. Refused where the value could not be put back, or too much was written."""
        if not self._left:
            most = Sentence(N_("一次测试至多写 %(most)d 次"), most=WRITES_OF_A_RUN)
            return WriteResult("held", None, None, (most,))
        is_owed = signal in self._owed
        if signal != "alarm_reset" and not is_owed:
            against = await self._owe(signal, target)
            if against:
                return WriteResult("held", None, None, (against,))
        self._left -= 1
        result = await self._send(signal, target, again=True)
        if result.sent is None and not is_owed:
            self._is_even(signal)
        return result

    async def restore(self, signal: str) -> WriteResult:
        """See Writes. What reads as it was before is not written."""
        if signal not in self._owed:
            return WriteResult("verified", None, None)
        former = self._owed[signal]
        result = await self._send(signal, former, again=False)
        if result.state in ("verified", "accepted"):
            self._is_even(signal)
        return result

    async def mend(self, signal: str, former: Scalar) -> WriteResult:
        """See Writes. A value that cannot be put back now stays owed."""
        self._owes(signal, self._owed.get(signal, former))
        return await self.restore(signal)

    async def restore_all(self, patience_s: float = 900.0) -> dict[str, Scalar]:
        """Put back all that is owed, and again until it is so; gives what is owed still when
        the time (s) is over."""
        loop = asyncio.get_running_loop()
        end = loop.time() + patience_s
        for pause in (*_PAUSES_S, *[_PAUSES_S[-1]] * int(patience_s)):
            for signal in sorted(self._owed, key=lambda owed: owed != "power_state"):  # off first
                if self._line.transport.connected:
                    await self.restore(signal)
            if not self._owed or loop.time() + pause > end:
                break
            await self._wait_for_the_line(pause)
        return dict(self._owed)

    async def _owe(self, signal: str, target: Scalar) -> Sentence | None:
        """Remember what stands now; why the test may not be, where it cannot be put back."""
        visit = await visits.read(
            self._line,
            self._address,
            blocks.plan(self._map),
            timeout=self._map.settings.reply_timeout_ms / 1000,
            priority=COMMAND,
        )
        value = visit.points.get(signal)
        if value is None or value.quality != "good":
            return Sentence(N_("没有读到原值，测试后无法恢复，没有写"))
        if signal == "power_state" and value.value is False:
            return None if target is True else Sentence(N_("机组已关机：测试不能以关机结束"))
        if value.value != target:
            self._owes(signal, value.value)
        return None

    def _owes(self, signal: str, former: Scalar) -> None:
        self._owed[signal] = former
        if self._file:
            self._file.keep(self._owed)

    def _is_even(self, signal: str) -> None:
        self._owed.pop(signal, None)
        if self._file:
            self._file.keep(self._owed)

    async def _send(self, signal: str, target: Scalar, *, again: bool) -> WriteResult:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._written_at + self._space_s - loop.time())
        result = await visits.write(
            self._line,
            self._address,
            self._map,
            signal,
            target,
            again=again,
            read_again_s=self._read_again_s,
        )
        if result.sent is not None:
            self._written_at = loop.time()
        return result

    async def _wait_for_the_line(self, pause_s: float) -> None:
        """A pause, cut short where the line comes back meanwhile."""
        loop = asyncio.get_running_loop()
        end, was_away = loop.time() + pause_s, not self._line.transport.connected
        while loop.time() < end and not (was_away and self._line.transport.connected):
            await asyncio.sleep(min(0.1, pause_s))
