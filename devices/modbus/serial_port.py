"""Opening a serial port: exclusively, with RS-485 direction control where asked for."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import termios

import serial
from serial.rs485 import RS485Settings

from devices.modbus.troubles import LineDown
from devices.modbus.urls import LineUrl
from devices.modbus.words import N_


def open_port(url: LineUrl) -> serial.Serial:
    """The port of a serial:// URL, locked for everybody else and never blocking.

    Raises LineDown with the reason: not there, not allowed, in use, or without direction control.
    """
    try:
        port = serial.Serial(
            url.device,
            baudrate=url.baud or 9600,
            parity=url.parity or "N",
            stopbits=url.stop_bits or 1,
            timeout=0,
            write_timeout=0,
            exclusive=True,
        )
    except (OSError, ValueError) as error:
        raise _refused(url.device, error) from None
    _keep_others_out(port)
    if url.rs485:
        _control_direction(port, url.device)
    return port


def _keep_others_out(port: serial.Serial) -> None:
    """The lock binds who asks for it; this lets nobody else open the port at all. Not so with a
    pseudo-terminal: its other end would keep the mark of a killed process."""
    if not os.path.realpath(port.port).startswith("/dev/pts/"):
        with contextlib.suppress(OSError):
            fcntl.ioctl(port.fileno(), termios.TIOCEXCL)


def _control_direction(port: serial.Serial, device: str) -> None:
    """TIOCSRS485: the driver raises RTS while it sends."""
    try:
        port.rs485_mode = RS485Settings()
    except (OSError, ValueError, NotImplementedError):
        port.close()
        raise LineDown(
            N_(
                "串口 %(device)s 的驱动不支持 RS-485 方向控制：请换用自动换向的转换器，"
                "并去掉地址里的 rs485=on"
            ),
            device=device,
        ) from None


def _refused(device: str, error: Exception) -> LineDown:
    number = getattr(error, "errno", None)
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return LineDown(N_("找不到串口 %(device)s"), device=device)
    if number in (errno.EACCES, errno.EPERM):
        return LineDown(N_("没有打开串口 %(device)s 的权限"), device=device)
    if number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in str(error):
        return LineDown(N_("串口 %(device)s 正被别的程序使用"), device=device)
    why = getattr(error, "strerror", None) or str(error)
    return LineDown(N_("串口 %(device)s 打不开：%(why)s"), device=device, why=why)
