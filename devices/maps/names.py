"""How maps' pages name signals, settings, columns and what Annex 2 asks for."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from devices.modbus.mapcolumns import HEADS
from devices.modbus.mapsettings import REQUIRED, Settings
from devices.modbus.names import signal_name

SETTINGS = {
    "maker": _l("设备厂商名称"),
    "model": _l("设备型号"),
    "kind": _l("种类"),
    "medium": _l("介质"),
    "baud": _l("波特率"),
    "parity": _l("校验位（N、E、O）"),
    "stop_bits": _l("停止位"),
    "address_width": _l("设备地址的字节数"),
    "address_order": _l("两字节地址的字节序"),
    "address_base": _l("地址从几起（0、1 或 manual 编号）"),
    "max_read": _l("一次最多读寄存器"),
    "max_read_bits": _l("一次最多读位"),
    "holes": _l("空洞：zero 可越过、exception、silent"),
    "read_functions": _l("读功能码"),
    "write_functions": _l("写功能码"),
    "reply_timeout_ms": _l("应答超时（ms）"),
    "frame_gap_ms": _l("帧间隔（ms）"),
    "min_write_interval_s": _l("两次写入至少间隔（s）"),
    "persist": _l("写入保存在 ram、eeprom、unknown"),
    "require": _l("写入前须满足"),
    "unlock": _l("写入前须解锁"),
    "unlock_keep": _l("解锁后保持"),
    "control_side": _l("按哪一侧水温（风温）控制"),
    "indoor_source": _l("室温来源：room、return_air、controller"),
    "module_stride": _l("相邻模块的寄存器间隔"),
}

# What the editor's head says of some settings; "" is the default.
IN_WORDS = {
    "address_base": {
        "0": _l("地址从 0 起"),
        "1": _l("地址从 1 起"),
        "manual": _l("地址用编号"),
        "": _l("地址从 0 起"),
    },
    "holes": {
        "zero": _l("空洞可越过"),
        "exception": _l("空洞应答异常"),
        "silent": _l("空洞不应答"),
        "": _l("空洞应答异常"),
    },
    "persist": {
        "ram": _l("写 RAM"),
        "eeprom": _l("写 EEPROM"),
        "unknown": _l("按写 EEPROM 计"),
        "": _l("按写 EEPROM 计"),
    },
}


def settings_in_words() -> dict[str, dict[str, str]]:
    """IN_WORDS in the reader's language."""
    return {
        name: {text: str(words) for text, words in known.items()}
        for name, known in IN_WORDS.items()
    }


def settings_with_defaults() -> dict[str, str]:
    """What each setting is, and what holds where it is blank."""
    usual = dict(Settings().rows())
    said = {
        name: _("%(what)s；不填为 %(usual)s") % {"what": words, "usual": usual[f"@{name}"]}
        for name, words in SETTINGS.items()
        if name not in REQUIRED
    }
    return {name: str(words) for name, words in SETTINGS.items()} | said


def heads() -> dict[str, str]:
    """The columns' heads."""
    return {column: _(head) for column, head in HEADS.items()}


def label(signal: str, medium: str = "water") -> str:
    """A signal in words; what the platform has no word for stays as the maker wrote it."""
    known = signal_name(signal, medium)
    return _(known) if known else signal
