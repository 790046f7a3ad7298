"""One writing of the sample: what stood before, what is written, what is put back.

Every step that writes does so through a Trial. It ends early by raising a `Verdict`; whatever
happens within `restoring`, the former value is put back before the step ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from devices.modbus import encoding, methods
from devices.modbus.bench import writing_advice as advice
from devices.modbus.bench.bench import Bench
from devices.modbus.bench.evidence import Evidence, deaf_after_writes, unanswered_writes
from devices.modbus.bench.names import said, shown, shown_value
from devices.modbus.bench.results import Result, State
from devices.modbus.points import Point, Scalar, Value, ValueRefused
from devices.modbus.troubles import LineDown, WritesHeld
from devices.modbus.visits import WriteResult
from devices.modbus.words import N_, Sentence

SETTINGS = (
    "power_state",
    "mode",
    "indoor_temp_setpoint",
    "supply_temp_setpoint",
    "return_temp_setpoint",
)
LOOKS = 10  # how often a value is looked at while it is watched


class Verdict(Exception):
    """The step ends here, and so."""

    def __init__(self, state: State, finding: Sentence, advice: Sentence | None = None) -> None:
        super().__init__(finding)
        self.state = state
        self.finding = finding
        self.advice = advice


class Trial:
    """The writing of one signal. `former` stood before; `point` is the row that writes it now.

    `settings` are the readings of all that can be set, as they stood before, `changed` those that
    were seen to change with the written value. Of settings that hold another trial's value
    meanwhile, `others_formers` says what is put back where they change. `restored_at` is when the
    former value was seen again (loop time). `details` and `figures`
    grow as it goes on, and are told whatever the end.
    """

    def __init__(self, bench: Bench, signal: str) -> None:
        self.bench = bench
        self.signal = signal
        self.name = bench.called(signal)
        self.details: list[tuple[Sentence, Sentence]] = []
        self.figures: dict[str, Any] = {}
        self.former: Scalar = None
        self.settings: dict[str, Value] = {}
        self.changed: dict[str, Value] = {}
        self.others_formers: dict[str, Scalar] = {}
        self.restored_at = 0.0
        self._point: Point | None = None
        self._is_owed = False
        self._deaf_s = 0.0  # the longest that nothing was answered behind a write
        self._unanswered: list[tuple[bytes, bytes]] = []  # of the last write's frames

    @property
    def point(self) -> Point:
        """The row that writes the signal; begun before."""
        assert self._point is not None
        return self._point

    async def run(self, course: Callable[[Trial], Awaitable[Sentence]]) -> Result:
        """Go through a step's course, which gives the finding of a sample that passed."""
        try:
            finding = await course(self)
        except Verdict as verdict:
            return self._result(verdict.state, verdict.finding, verdict.advice)
        if self._deaf_s:
            told = advice.on_deafness(self.point, self._deaf_s)
            text = Sentence(N_("写入后约 %(s)d 秒不应答读取"), s=round(self._deaf_s))
            return self._result("failed", text, told)
        return self._result("passed", finding)

    def _result(self, state: State, finding: Sentence, advice: Sentence | None = None) -> Result:
        return Result(state, finding, tuple(self.details), advice, self.figures)

    async def begin(self) -> None:
        """Find the row that writes now, and read all settings."""
        rows = self.bench.here.writers(self.signal)
        if not rows:
            raise Verdict(
                "failed",
                Sentence(N_("点表里没有可写的 %(name)s"), name=self.name),
                Sentence(
                    N_("附件 2 要求能远程写入：点表须有可写的 %(signal)s"), signal=self.signal
                ),
            )
        if self.bench.misplaced:
            raise self.unproven(N_("点表地址错一位，写入会落到别的寄存器：没有写 %(name)s"))
        values = await self.look_around()
        self._point = next((row for row in rows if methods.holds(row, values)), None)
        if self._point is None:
            raise self.unproven(N_("现在不能写：点表里 %(name)s 的每一行都要求别的模式"))

    async def look_around(self) -> Mapping[str, Value]:
        """Read everything: as the settings are now they must be afterwards."""
        values = (await self.bench.read()).points
        self.settings = {name: values[name] for name in SETTINGS if name in values}
        return values

    def take_former(self) -> None:
        """Keep what stands; ends unproven where it could not be put back afterwards."""
        value = self.settings.get(self.signal)
        if value is None:
            raise self.unproven(N_("%(name)s 只能写、不能读：测试后无法恢复原值，没有写"))
        if value.quality != "good":
            told = shown_value(self.signal, value)
            template = N_("没有读到 %(name)s（%(value)s）：先解决读数，再测写入")
            raise self.unproven(template, value=told)
        self.former = self.figures["former"] = value.value
        try:
            if not self.point.scale_from:
                encoding.encode(self.point, value.value)
        except ValueRefused as refused:
            template = N_("%(name)s 现为 %(value)s，按点表写不回去（%(why)s）：请先在面板上改好")
            told = self.shown(value.value)
            raise self.unproven(template, value=told, why=refused.sentence) from None

    # Words.

    def unproven(self, template: str, **params: object) -> Verdict:
        """A verdict that judges nothing; the template may name the signal as %(name)s."""
        return Verdict("unproven", Sentence(template, name=self.name, **params))

    def failed(self, told: Sentence | None, template: str, **params: object) -> Verdict:
        """A verdict against the sample, with what its maker is told to change."""
        return Verdict("failed", Sentence(template, name=self.name, **params), told)

    def tell(self, label: str, template: str, **params: object) -> None:
        """One more line of the details; `label` is a msgid."""
        self.details.append((Sentence(label), Sentence(template, **params)))

    def shown(self, value: Scalar) -> Sentence:
        """A value of this signal as people read it."""
        return shown(self.signal, value)

    # Writing.

    async def write(self, target: Scalar) -> None:
        """Write and prove; ends the step where the sample does not take it."""
        self.bench.say(Sentence(N_("写入 %(name)s：%(to)s"), name=self.name, to=self.shown(target)))
        self.tell(N_("写入"), "%(written)s", written=advice.written(self.point, target))
        self.figures["written"] = target
        result = await self.send(target)
        self.figures["read_back"] = result.read_back
        if result.read_back is not None:
            self.tell(N_("回读"), "%(value)s", value=self.shown(result.read_back))
        if result.state == "accepted":
            raise self.unproven(N_("%(name)s 已受理，但没有读数能证明"))
        if result.state != "verified":
            raise await self._refuted(target, result)

    async def send(self, target: Scalar) -> WriteResult:
        """Write; once more where the sample obeyed without a word, for one frame may get lost.
        Ends the step where it does not answer, or answers wrongly."""
        counters = self.bench.line.counters
        for attempt in (1, 2):
            wrong = counters.wrong_echoes
            with Evidence().of(self.bench.line) as ear:
                result = await self._through(self.bench.writes.write(self.signal, target))
            self._is_owed |= result.sent is not None
            self._deaf_s = max(self._deaf_s, deaf_after_writes(self.bench.line.framing, ear))
            self._unanswered = list(unanswered_writes(self.bench.line.framing, ear))
            self.details += [(Sentence(N_("说明")), said(note)) for note in result.notes]
            if counters.wrong_echoes > wrong:
                raise self._misanswered()
            if methods.UNANSWERED not in result.detail:
                break
            if attempt == 2:
                raise self._misanswered(N_("写入生效，但两次都没有应答"))
        return result

    def _misanswered(self, silent: str = N_("写入没有应答")) -> Verdict:
        """The verdict where the right reply to a write did not come: another one did, or, as
        `silent` says, none at all."""
        for sent, heard in self._unanswered:
            self.tell(N_("发出"), "%(frame)s", frame=sent.hex(" ").upper())
            if heard:
                self.tell(N_("收到"), "%(frame)s", frame=heard[:32].hex(" ").upper())
                return self.failed(advice.on_wrong_echo(self.point), N_("对写入的应答与请求不符"))
        return self.failed(advice.on_silence(self.point), silent)

    async def _through(self, writing: Awaitable[WriteResult]) -> WriteResult:
        """The result of a writing, where the line let it through; else the step is to be run
        again: a line that was lost is no fault of the sample, though it be back already."""
        line = self.bench.line
        connection = line.generation
        result = await writing
        if result.state == "held":
            why = result.notes[0] if result.notes else Sentence(N_("现在不能写入"))
            raise WritesHeld(why.template, **why.params)
        was_lost = not line.transport.connected or line.generation != connection
        if result.state in ("failed", "unknown") and was_lost:
            raise LineDown(N_("通信链路没有接通"))
        return result

    async def _refuted(self, target: Scalar, result: WriteResult) -> Verdict:
        """The verdict on a write that did not come true."""
        astray = await self.disturbed() if result.state == "failed" else {}
        self.tell_disturbed(astray)
        if self._unanswered and result.state != "refused" and result.read_back == self.former:
            return self._misanswered(N_("写入没有应答，也没有生效"))
        told = advice.on_failure(
            self.bench.here.settings, self.point, self.former, target, result, astray
        )
        if result.state == "refused":
            why = result.notes[-1] if result.notes else N_("没有说明原因")
            return self.failed(told, N_("写入被拒绝：%(why)s"), why=said(why))
        if result.read_back is None:
            return await self._unread(target, told)
        if result.read_back == self.former:
            return await self._ignored(target, told, astray)
        back = self.shown(result.read_back)
        return self.failed(told, N_("回读为 %(back)s，与写入的不同"), back=back)

    async def _unread(self, target: Scalar, told: Sentence) -> Verdict:
        """The verdict where the sample tells no value any more: nothing, or none that counts."""
        value = await self.bench.value(self.signal)
        if value.quality != "out_of_range":
            return self.failed(told, N_("写入后没能读回"))
        back = shown_value(self.signal, value)
        told = advice.on_other_value(self.point, self.shown(target), back)
        return self.failed(told, N_("回读为 %(back)s，与写入的不同"), back=back)

    async def _ignored(
        self, target: Scalar, told: Sentence, astray: Mapping[str, Value]
    ) -> Verdict:
        """The verdict where nothing came of a write: does it need to be told twice?"""
        if not astray and (await self.send(target)).state == "verified":
            told = advice.on_second_try(self.point)
            return self.failed(told, N_("第一次写入没有生效，第二次才生效"))
        return self.failed(told, N_("应答正确，回读未变"))

    # Afterwards.

    async def watch(self) -> None:
        """See for `hold_s` that the value that was read back stays; ends the step where it does
        not."""
        hold_s = self.bench.options.hold_s
        self.bench.say(Sentence(N_("看 %(name)s 是否保持（%(s)g 秒）"), name=self.name, s=hold_s))
        async for passed, value in self.looks(hold_s):
            if value != self.figures["read_back"]:
                now = {"s": passed, "value": self.shown(value)}
                self.tell(N_("保持"), N_("第 %(s)g 秒变为 %(value)s"), **now)
                others = {**self.changed, **await self.disturbed()}
                if others:
                    self.tell_disturbed(others)
                    raise self._blamed_for(others)
                told = advice.on_not_holding(self.point)
                raise self.failed(told, N_("写入后没有保持：第 %(s)g 秒变为 %(value)s"), **now)
            self.figures["held_s"] = passed
        if "held_s" not in self.figures:
            told = advice.on_going_mute(self.point)
            raise self.failed(told, N_("写入后 %(s)g 秒内再没有读到 %(name)s"), s=hold_s)
        self.tell(N_("保持"), N_("%(s)g 秒内未变"), s=self.figures["held_s"])

    async def looks(self, seconds: float, least: int = 1) -> AsyncIterator[tuple[float, Scalar]]:
        """How the signal reads for so long, and when (s) it was asked, the last time at the end; at
        least so many times, however long that takes. What was not read is left out."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        passed, looked = 0.0, 0
        while passed < seconds or looked < least:
            looked += 1
            left_s = start + seconds - loop.time()
            await self.bench.pause(min(seconds / LOOKS, max(0.0, left_s)))
            passed = loop.time() - start  # when it is asked: what comes late was so no longer
            value = await self.bench.value(self.signal)
            if value.quality == "good":
                yield round(passed, 1), value.value

    @asynccontextmanager
    async def restoring(self) -> AsyncIterator[None]:
        """Whatever the body brings, the sample is left as it was found; a lost line leaves that to
        whoever owes it."""
        try:
            yield
        except Verdict as verdict:
            unrestored = await self.undo()
            if unrestored and verdict.state != "failed":
                raise unrestored from verdict
            raise
        await self.restore()
        await self.leave_as_found()

    async def undo(self) -> Verdict | None:
        """Put back what the trial wrote, and what changed by it; the verdict on a sample that does
        not take the former value."""
        unrestored = None
        try:
            await self.restore()
        except Verdict as verdict:
            unrestored = verdict
        await self._mend(await self.settle())
        return unrestored

    async def restore(self) -> None:
        """Put the former value back, where anything was sent; ends the step where the sample does
        not take it."""
        if not self._is_owed:
            return
        self.bench.say(
            Sentence(N_("恢复 %(name)s：%(to)s"), name=self.name, to=self.shown(self.former))
        )
        result = await self._through(self.bench.writes.restore(self.signal))
        self.figures["restored"] = result.state in ("verified", "accepted")
        if self.figures["restored"]:
            self._is_owed = False
            self.restored_at = asyncio.get_running_loop().time()
            self.tell(N_("恢复"), "%(value)s", value=self.shown(self.former))
            return
        self.tell(N_("恢复"), N_("没有成功：%(why)s"), why=said(result.detail))
        raise self.failed(
            advice.on_restoring(self.point, self.former), N_("没能恢复 %(name)s 的原值")
        )

    async def disturbed(self) -> dict[str, Value]:
        """Which other settings do not read as before the trial, and how they read now."""
        values = (await self.bench.read()).points
        return {
            signal: values[signal]
            for signal, before in self.settings.items()
            if signal != self.signal
            and before.quality == "good"
            and values[signal].quality != "not_answered"
            and values[signal].value != before.value
        }

    async def settle(self) -> dict[str, Value]:
        """The same after a while (`hold_s`): some samples take time to find back."""
        for _ in range(LOOKS):
            astray = await self.disturbed()
            if not astray:
                return {}
            await self.bench.pause(self.bench.options.hold_s / LOOKS)
        return await self.disturbed()

    async def leave_as_found(self) -> None:
        """Put back other settings that the test changed; ends the step where it changed any,
        those that were seen to be `changed` while the test's value stood included."""
        left = await self.settle()
        self.tell_disturbed({**self.changed, **left})
        await self._mend(left)
        others = {**self.changed, **left}
        if others:
            raise self._blamed_for(others)

    def _blamed_for(self, others: Mapping[str, Value]) -> Verdict:
        """The verdict on a write that changed other settings too."""
        named = said("、".join(self.bench.called(signal) for signal in others))
        told = advice.on_disturbing(self.point, others, self.bench.map.settings.medium)
        return self.failed(told, N_("写 %(name)s 时 %(others)s 也变了"), others=named)

    async def _mend(self, left: Mapping[str, Value]) -> None:
        await self._put_all_back(left)
        if left and self.former is not None:  # its own row may hold in the former mode only
            value = await self.bench.value(self.signal)
            if value.quality == "good" and value.value != self.former:
                await self._put_back(self.signal, self.former)
                await self._put_all_back(await self.disturbed())

    async def _put_all_back(self, left: Mapping[str, Value]) -> None:
        for signal in left:
            if self.bench.here.writers(signal):
                former = self.settings[signal].value
                await self._put_back(signal, self.others_formers.get(signal, former))

    async def _put_back(self, signal: str, former: Scalar) -> None:
        result = await self._through(self.bench.writes.mend(signal, former))
        done = result.state in ("verified", "accepted")
        told = shown(signal, former) if done else said(result.detail)
        self.tell(N_("恢复"), "%(name)s：%(told)s", name=self.bench.called(signal), told=told)

    def tell_disturbed(self, astray: Mapping[str, Value]) -> None:
        """Say which other settings changed."""
        for signal, value in astray.items():
            name, was = self.bench.called(signal), shown_value(signal, self.settings[signal])
            now = shown_value(signal, value)
            self.tell(N_("同时改变"), "%(name)s：%(was)s → %(now)s", name=name, was=was, now=now)
