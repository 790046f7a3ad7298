"""What can go wrong between the platform and a unit.

Trouble                 says its sentence; template and parameters stay apart
├── UrlRefused          the text is no URL of a line
├── AddressRefused      no frame may carry this unit address
├── NotSupported        the unit's functions cannot do it
├── WriteRefused        the map, or the state of the unit, forbids a write
├── WritesHeld          nothing is written on this line for the time being; no byte has left
└── ExchangeFailed      the exchange brought no answer to its request
    ├── LineDown        not connected, or the connection broke meanwhile
    ├── NoAnswer        nothing that counts arrived in time
    ├── WrongEcho       a write was answered, but with another address, value or count
    └── ExceptionReply  the unit answered with an exception code
"""

from __future__ import annotations

from devices.modbus.words import N_, Sentence


class Trouble(Exception):
    """`sentence` is what a person reads (Chinese, translatable)."""

    def __init__(self, template: str, **params: object) -> None:
        super().__init__(template, params)
        self.sentence = Sentence(template, **params)

    def __str__(self) -> str:
        return self.sentence


class UrlRefused(Trouble):
    """A text that is no URL of a line."""


class AddressRefused(Trouble):
    """A unit address that no frame may carry on this line."""


class NotSupported(Trouble):
    """Something that the unit's function codes cannot do."""


class WriteRefused(Trouble):
    """A write that the map, or the state in which the unit is now, forbids."""


class WritesHeld(Trouble):
    """Nothing is written on this line for the time being; no byte has left."""


class ExchangeFailed(Trouble):
    """An exchange that brought no answer to its request."""


class LineDown(ExchangeFailed):
    """The line is not connected; `sent` if its connection broke with the request in flight."""

    sent = False


class NoAnswer(ExchangeFailed):
    """Nothing that counts as a reply arrived in time.

    `heard` tells whether any bytes arrived: then a reply may have been garbled.
    """

    def __init__(self, timeout: float, heard: int) -> None:
        self.heard = heard
        if heard:
            template = N_("%(timeout)s 秒内没有收到正确的应答（收到 %(heard)d 字节，校验不符）")
            super().__init__(template, timeout=round(timeout, 3), heard=heard)
        else:
            super().__init__(N_("%(timeout)s 秒内没有应答"), timeout=round(timeout, 3))


class WrongEcho(ExchangeFailed):
    """A well-formed reply to a write that names another address, value or count."""

    def __init__(self, sent: bytes, got: bytes) -> None:
        super().__init__(
            N_("设备对写入的应答与请求不符：发出 %(sent)s，收到 %(got)s"),
            sent=sent.hex(" ").upper(),
            got=got.hex(" ").upper(),
        )


EXCEPTIONS = {
    1: N_("不支持该功能码"),
    2: N_("数据地址不存在"),
    3: N_("数据值不允许"),
    4: N_("设备执行失败"),
    5: N_("已接受，正在处理"),
    6: N_("设备忙"),
    7: N_("设备拒绝执行"),
    8: N_("存储校验错误"),
    10: N_("网关通道不可用"),
    11: N_("网关后的设备没有应答"),
}


class ExceptionReply(ExchangeFailed):
    """The unit answered with an exception `code` (Modbus application protocol V1.1b3, 7)."""

    def __init__(self, code: int) -> None:
        self.code = code
        meaning = EXCEPTIONS.get(code)
        if meaning is None:
            super().__init__(N_("设备返回异常码 %(code)d"), code=code)
        else:
            template = N_("设备返回异常码 %(code)d（%(meaning)s）")
            super().__init__(template, code=code, meaning=meaning)
