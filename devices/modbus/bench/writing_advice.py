"""What a maker must change where a writing failed, naming register, setting and column."""

from __future__ import annotations

import math
import re
from collections.abc import Collection

from devices.modbus import encoding
from devices.modbus.bench.names import called, place, said, shown
from devices.modbus.mapsettings import Settings
from devices.modbus.points import TRIGGERS, Point, Scalar, ValueRefused
from devices.modbus.visits import WriteResult
from devices.modbus.words import N_, Sentence

_EXCEPTION = re.compile(r"异常码 (\d+)")  # as ExceptionReply says it
_REFUSED = {
    1: N_("样机不支持这个写功能码：核对点表的 @write_functions 和写功能码（%(place)s）"),
    2: N_("样机没有可写的 %(place)s：核对点表的写地址（write_address）"),
    3: N_(
        "样机不接受 %(written)s：核对点表的最小、最大、步长、写倍率、枚举和可写值；"
        "须先写的寄存器列在 before 或 @unlock"
    ),
    4: N_(
        "样机在当前状态拒绝写 %(place)s：远程控制时必须接受；"
        "有就地/远程开关的请切到远程，并在点表 @require 写明"
    ),
    6: N_("样机忙，拒绝写 %(place)s：核对点表的 @min_write_interval_s"),
}
_REFUSED |= {7: _REFUSED[4]}


def written(point: Point, target: Scalar) -> Sentence:
    """What goes out, as in 保持寄存器 1 = 2（自动）; without the raw value where only the unit
    tells the scale."""
    where, value = place(point.write_area, point.write_address), shown(point.signal, target)
    try:
        words = () if point.scale_from else encoding.encode(point, target)
    except ValueRefused:
        words = ()
    if not words:
        return Sentence("%(place)s = %(value)s", place=where, value=value)
    raw = str(words[0]) if len(words) == 1 else " ".join(f"0x{word:04X}" for word in words)
    if point.write_method in TRIGGERS:
        return Sentence("%(place)s = %(raw)s", place=where, raw=said(raw))
    return Sentence(N_("%(place)s = %(raw)s（%(value)s）"), place=where, raw=said(raw), value=value)


def on_failure(
    settings: Settings,
    point: Point,
    former: Scalar,
    target: Scalar,
    result: WriteResult,
    astray: Collection[str] = (),
) -> Sentence:
    """Of a write that was refused, or does not read back; `astray` are other signals that
    changed at the same time."""
    where = place(point.write_area, point.write_address)
    if result.state == "refused":
        return _on_refusal(settings, point, target, result)
    if result.read_back is None:
        return on_going_mute(point)
    if astray:
        others = "、".join(called(name, settings.medium) for name in astray)
        template = N_("写入落到了 %(others)s：核对点表的写地址（write_address，现为 %(place)s）")
        return Sentence(template, others=said(others), place=where)
    if result.read_back != former:
        back = shown(point.signal, result.read_back)
        return on_other_value(point, shown(point.signal, target), back)
    return _on_ignoring(point, target, where)


def on_other_value(point: Point, to: Sentence, back: Sentence) -> Sentence:
    """Of a write that reads back as something else than was written."""
    template = N_(
        "写入 %(to)s 却读回 %(back)s：核对点表 %(place)s 的写倍率、写类型、字节序、枚举"
        "是否与读取一侧一致；固件只接受更窄范围的，改点表的最小、最大、步长"
    )
    where = place(point.write_area, point.write_address)
    return Sentence(template, to=to, back=back, place=where)


def on_second_try(point: Point) -> Sentence:
    """Of a write that comes true only when it is sent again."""
    template = N_("固件收到对 %(place)s 的第一次写入就须执行，不得答而不做")
    return Sentence(template, place=place(point.write_area, point.write_address))


def _on_ignoring(point: Point, target: Scalar, where: Sentence) -> Sentence:
    value = shown(point.signal, target)
    if isinstance(target, str):
        template = N_(
            "固件收到对 %(place)s 的写入后须真正切换到“%(value)s”；已切换而读数不符的，"
            "改点表的“枚举”（读、写两侧）；做不到的，在“可写值”中去掉它"
        )
    elif isinstance(target, bool):
        template = N_(
            "固件收到对 %(place)s 的写入后须真正改为 %(value)s；已改而读数不符的，点表或固件的"
            "开、关接反；地址不对的，改点表的写地址"
        )
    else:
        template = N_(
            "固件收到对 %(place)s 的写入后须真正改为 %(value)s；只接受更窄范围的，改点表的最小、"
            "最大；地址不对的，改点表的写地址"
        )
    return Sentence(template, place=where, value=value)


def _on_refusal(settings: Settings, point: Point, target: Scalar, result: WriteResult) -> Sentence:
    where = place(point.write_area, point.write_address)
    found = _EXCEPTION.search(result.detail)
    if found:
        template = _REFUSED.get(int(found[1]), _REFUSED[4])
        return Sentence(template, place=where, written=written(point, target))
    if settings.require:
        held = "；".join(
            f"{place(item.area, item.address)} = {item.value}" for item in settings.require
        )
        template = N_("样机不在点表 @require 要求的状态（%(held)s）：请切到远程后重测")
        return Sentence(template, held=said(held))
    template = N_("点表自己不允许这样写：核对 @write_functions、写方式和 %(place)s 的各列")
    return Sentence(template, place=where)


def on_restoring(point: Point, former: Scalar) -> Sentence:
    """Of a sample that takes a test value but not its former one."""
    return Sentence(
        N_("样机须接受写回原值（%(written)s）：核对固件和点表的最小、最大、可写值"),
        written=written(point, former),
    )


def on_going_mute(point: Point) -> Sentence:
    """Of a sample that tells nothing any more after a write."""
    where = place(point.write_area, point.write_address)
    return Sentence(N_("写 %(place)s 后样机必须照常应答读取：核对固件"), place=where)


def on_deafness(point: Point, seconds: float) -> Sentence:
    """Of a sample that answers nothing for a while after a write."""
    template = N_(
        "固件执行对 %(place)s 的写入时不得重启，须照常应答读取；确需时间的，点表“延时”"
        "（write_delay_s，现为 %(stated)g）改为 %(needed)d"
    )
    where = place(point.write_area, point.write_address)
    needed = math.ceil(seconds) + 1
    return Sentence(template, place=where, stated=float(point.write_delay_s), needed=needed)


def on_not_holding(point: Point) -> Sentence:
    """Of a value that was taken and left again."""
    return Sentence(
        N_(
            "写 %(place)s 的值须一直保持到下一次写入：核对线控器或内部程序是否把它改回，"
            "以及写入的是否是临时寄存器"
        ),
        place=place(point.write_area, point.write_address),
    )


def on_wrong_echo(point: Point) -> Sentence:
    """Of a reply to a write that names another address, value or count."""
    return Sentence(
        N_(
            "对写 %(place)s 的应答必须照原样返回：功能码 05、06 返回地址和值，"
            "15、16 返回地址和个数；请改固件"
        ),
        place=place(point.write_area, point.write_address),
    )


def on_silence(point: Point) -> Sentence:
    """Of a sample that obeys a write but does not answer it."""
    return Sentence(
        N_("样机执行对 %(place)s 的写入后必须在 @reply_timeout_ms 内应答；请改固件"),
        place=place(point.write_area, point.write_address),
    )


def on_disturbing(point: Point, others: Collection[str], medium: str) -> Sentence:
    """Of a write that changed other settings too."""
    return Sentence(
        N_(
            "关机、再开机（写 %(place)s）后须保持 %(others)s，不得回到默认值：请改固件；"
            "在同一寄存器里的，核对点表的掩码（mask）和写方式（rmw）"
        )
        if point.signal == "power_state"
        else N_(
            "写 %(place)s 不得改变 %(others)s：同一寄存器里别的位须保持；"
            "核对点表的掩码（mask）、写方式（rmw）和写地址，或改固件"
        ),
        place=place(point.write_area, point.write_address),
        others=said("、".join(called(name, medium) for name in others)),
    )


def on_stuck_reset(point: Point) -> Sentence:
    """Of a reset that was answered but did not come back to its idle state."""
    return Sentence(
        N_(
            "复位写 %(place)s 后须能回到未触发的状态（脉冲写回、线圈自动复位）：核对点表的写方式"
            "（write_method）和延时"
        ),
        place=place(point.write_area, point.write_address),
    )


def on_lasting_fault(point: Point) -> Sentence:
    """Of a fault that no reset takes away."""
    return Sentence(
        N_(
            "故障原因已消除的，固件收到对 %(place)s 的写入（%(written)s）后须清除故障；"
            "核对写地址、写值和写方式。原因还在的，消除后重测"
        ),
        place=place(point.write_area, point.write_address),
        written=written(point, True),
    )
