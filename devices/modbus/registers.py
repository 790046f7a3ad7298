"""One unit's registers and coils, read and written through its line as a command."""

from __future__ import annotations

from collections.abc import Sequence

from devices.modbus import frames
from devices.modbus.cells import Area, Target
from devices.modbus.line import COMMAND, Line
from devices.modbus.mapsettings import Settings
from devices.modbus.points import Point
from devices.modbus.troubles import NotSupported
from devices.modbus.words import N_


class Registers:
    """Reading and writing by the functions that the device supports.

    Every method raises what `Line.exchange` raises.
    """

    def __init__(self, line: Line, address: int, settings: Settings) -> None:
        self.line = line
        self.address = address
        self.settings = settings
        self.timeout = settings.reply_timeout_ms / 1000

    async def read(self, area: Area, address: int, count: int) -> tuple[int, ...]:
        """The words or bits as they are now."""
        return await self._exchange(frames.read(area, address, count))

    async def read_target(self, target: Target) -> int:
        """What the register or coil of a target holds now."""
        return (await self.read(target.area, target.address, 1))[0]

    async def put(self, target: Target, *, concludes: bool = False) -> None:
        """Write a target's value; `concludes` as of Line.exchange."""
        request = self._request(target.area, target.address, [target.value], None)
        await self._exchange(request, concludes)

    async def put_words(
        self, point: Point, words: Sequence[int], *, concludes: bool = False
    ) -> None:
        """Write all registers of a point; raises NotSupported where no function can."""
        function = point.write_function
        request = self._request(point.write_area, point.write_address, words, function)
        await self._exchange(request, concludes)

    def can_read(self, area: Area) -> bool:
        """Whether the device has the function that reads this area."""
        return frames.READ_FUNCTIONS[area] in self.settings.read_functions

    async def _exchange(self, request: frames.Request, concludes: bool = False) -> tuple[int, ...]:
        return await self.line.exchange(
            self.address, request, timeout=self.timeout, priority=COMMAND, concludes=concludes
        )

    def _request(
        self, area: Area, address: int, words: Sequence[int], function: int | None
    ) -> frames.Request:
        known = self.settings.write_functions
        single, several = (5, 15) if area == "coil" else (6, 16)
        if function is None:
            function = single if len(words) == 1 and single in known else several
            if function not in known and len(words) == 1:
                function = single
        if function == 5:
            return frames.write_coil(address, words[0])
        if function == 15:
            return frames.write_coils(address, words)
        if function == 6 and len(words) == 1:
            return frames.write_register(address, words[0])
        if function == 16 and (16 in known or len(words) == 1):
            return frames.write_registers(address, words)
        raise NotSupported(N_("设备不支持功能码 16，写不了 %(count)d 个寄存器"), count=len(words))
