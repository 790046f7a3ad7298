"""libmodbus (C, by others) through ctypes, as a slave and as a master."""

from __future__ import annotations

import ctypes
import os
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, cast

import pytest

Areas = tuple[Sequence[int], Sequence[int], Sequence[int], Sequence[int]]


class _Mapping(ctypes.Structure):
    """modbus_mapping_t of modbus.h."""

    _fields_: ClassVar[Any] = [
        (name, ctypes.c_int)
        for name in (
            "nb_bits",
            "start_bits",
            "nb_input_bits",
            "start_input_bits",
            "nb_input_registers",
            "start_input_registers",
            "nb_registers",
            "start_registers",
        )
    ] + [
        ("tab_bits", ctypes.POINTER(ctypes.c_uint8)),
        ("tab_input_bits", ctypes.POINTER(ctypes.c_uint8)),
        ("tab_input_registers", ctypes.POINTER(ctypes.c_uint16)),
        ("tab_registers", ctypes.POINTER(ctypes.c_uint16)),
    ]


def library() -> Any:
    """The library; skips the test where it is not installed."""
    try:
        found = ctypes.CDLL("libmodbus.so.5", use_errno=True)
    except OSError:
        pytest.skip("libmodbus.so.5 is not installed (Debian package libmodbus5)")
    found.modbus_new_rtu.restype = ctypes.c_void_p
    found.modbus_new_tcp.restype = ctypes.c_void_p
    found.modbus_mapping_new.restype = ctypes.POINTER(_Mapping)
    found.modbus_strerror.restype = ctypes.c_char_p
    return found


def serial_context(found: Any, path: str) -> ctypes.c_void_p:
    made = found.modbus_new_rtu(path.encode(), 9600, ctypes.c_char(b"N"), 8, 1)
    return ctypes.c_void_p(made)


def tcp_context(found: Any, port: int) -> ctypes.c_void_p:
    return ctypes.c_void_p(found.modbus_new_tcp(b"127.0.0.1", port))


class Slave:
    """A slave in a thread: coils, discrete inputs, holding and input registers from 0 on.

    `place` is the path of a terminal, or None for Modbus TCP on a free port, told by `port`.
    """

    def __init__(self, areas: Areas, unit: int, place: str | None) -> None:
        self._library = library()
        self._areas, self._unit, self._place = areas, unit, place
        self._ready, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self.port = 0

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(2), "libmodbus did not start"

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _serve(self) -> None:
        found = self._library
        context = self._context()
        mapping = self._mapping()
        found.modbus_set_slave(context, self._unit)
        found.modbus_set_response_timeout(context, 0, 10_000)
        found.modbus_set_indication_timeout(context, 0, 50_000)
        accept = self._open(context)
        self._ready.set()
        accept()
        query = (ctypes.c_uint8 * 260)()
        while not self._stop.is_set():
            length = found.modbus_receive(context, query)
            if length > 0:
                found.modbus_reply(context, query, length, mapping)
        found.modbus_close(context)
        found.modbus_mapping_free(mapping)
        found.modbus_free(context)

    def _context(self) -> ctypes.c_void_p:
        if self._place is not None:
            return serial_context(self._library, self._place)
        return tcp_context(self._library, 0)

    def _open(self, context: ctypes.c_void_p) -> Callable[[], None]:
        """Open the terminal, or listen; answers how to wait for a master."""
        if self._place is not None:
            assert self._library.modbus_connect(context) == 0
            return lambda: None
        listening = ctypes.c_int(self._library.modbus_tcp_listen(context, 1))
        with socket.socket(fileno=os.dup(listening.value)) as one:
            self.port = one.getsockname()[1]

        def accept() -> None:
            self._library.modbus_tcp_accept(context, ctypes.byref(listening))
            os.close(listening.value)

        return accept

    def _mapping(self) -> Any:
        mapping = self._library.modbus_mapping_new(*(len(area) for area in self._areas))
        tables = ("tab_bits", "tab_input_bits", "tab_registers", "tab_input_registers")
        for name, values in zip(tables, self._areas, strict=True):
            table = getattr(mapping.contents, name)
            for place, value in enumerate(values):
                table[place] = value
        return mapping


class Master:
    """A master for blocking calls from a thread; `place` is a terminal's path or a TCP port."""

    def __init__(self, unit: int, place: str | int) -> None:
        self._library = library()
        context = serial_context if isinstance(place, str) else tcp_context
        self._context = context(self._library, cast(Any, place))
        self._library.modbus_set_slave(self._context, unit)
        self._library.modbus_set_response_timeout(self._context, 1, 0)
        assert self._library.modbus_connect(self._context) == 0, self.error()

    def registers(self, area: str, first: int, count: int) -> list[int]:
        """`area` is registers (holding) or input_registers; raises OSError with its words."""
        words = (ctypes.c_uint16 * count)()
        read = getattr(self._library, f"modbus_read_{area}")
        self._check(read(self._context, first, count, words), count)
        return list(words)

    def bits(self, area: str, first: int, count: int) -> list[int]:
        """`area` is bits (coils) or input_bits."""
        values = (ctypes.c_uint8 * count)()
        read = getattr(self._library, f"modbus_read_{area}")
        self._check(read(self._context, first, count, values), count)
        return list(values)

    def write_register(self, address: int, word: int) -> None:
        self._check(self._library.modbus_write_register(self._context, address, word), 1)

    def write_registers(self, address: int, words: Sequence[int]) -> None:
        values = (ctypes.c_uint16 * len(words))(*words)
        write = self._library.modbus_write_registers
        self._check(write(self._context, address, len(words), values), len(words))

    def write_bit(self, address: int, on: int) -> None:
        self._check(self._library.modbus_write_bit(self._context, address, on), 1)

    def write_bits(self, address: int, bits: Sequence[int]) -> None:
        values = (ctypes.c_uint8 * len(bits))(*bits)
        write = self._library.modbus_write_bits
        self._check(write(self._context, address, len(bits), values), len(bits))

    def error(self) -> str:
        return cast(bytes, self._library.modbus_strerror(ctypes.get_errno())).decode()

    def close(self) -> None:
        self._library.modbus_close(self._context)
        self._library.modbus_free(self._context)

    def _check(self, done: int, wanted: int) -> None:
        if done != wanted:
            raise OSError(self.error())
