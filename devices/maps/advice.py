"""怎么改: what to do about each mistake and reminder of a register map, in the maker's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from django.utils.translation import gettext as _

from devices.maps import foreign
from devices.modbus.mistakes import Mistake
from devices.modbus.words import N_

# What a hand or a scanner takes for a digit.
_LOOKS_LIKE = {"O": "0", "o": "0", "Q": "0", "l": "1", "I": "1", "|": "1", "Z": "2", "S": "5"}
_INTEGER = N_("应为整数（如 100、0x64 或 64H）")
_NUMBER = N_("应为数字")
_TYPE = N_("没有这个类型，可用：%(known)s")
_CHOICE = N_("不认识的取值，可用：%(known)s")

_WRONG, _BLANK, _STRANGE = N_("有错"), N_("未填"), N_("不认识")
_TWICE, _RANGE, _WRITING = N_("重复"), N_("超出范围"), N_("写入不通")
_KIND, _REFERENCE, _DOUBT = N_("类型不符"), N_("对不上"), N_("请确认")
_USE_ONE = N_("从可用的取值里选一个")
_READ_PROTOCOL = N_("请查通信协议后改正")
_CONFIRM = N_("确认无误可继续")

# template of the check: (short word, advice)
ADVICE: dict[str, tuple[str, str]] = {
    _INTEGER: (N_("不是数字"), N_("只写数字；十六进制写 0x82 或 82H")),
    _NUMBER: (N_("不是数字"), N_("只写数字，单位填在“单位”列")),
    _TYPE: (_STRANGE, N_("按协议的数据类型选一个；REAL 是 float32，有符号一个字是 int16")),
    _CHOICE: (_STRANGE, _USE_ONE),
    N_("不能为空"): (_BLANK, N_("请填写这一格")),
    N_("缺少必填的设置项"): (_BLANK, N_("请在“设置”里填写这一项")),
    N_("数字过大或过小"): (_RANGE, _READ_PROTOCOL),
    N_("应在 %(low)s 到 %(high)s 之间"): (_RANGE, _READ_PROTOCOL),
    N_("不认识的区域，可用：coil、discrete、input、holding"): (
        _STRANGE,
        N_("功能码 01 是 coil，02 是 discrete，03 是 holding，04 是 input"),
    ),
    N_("没有写区域（coil、discrete、input、holding）"): (
        _BLANK,
        N_("填写区域，或把 address_base 设为 manual 后写五位编号"),
    ),
    N_("地址应在 %(low)s 到 %(high)s 之间"): (
        _RANGE,
        N_("地址从 1 起的表请把 address_base 设为 1；写 4xxxx 编号的设为 manual"),
    ),
    N_("应为五位或六位的地址编号（0xxxx 线圈、1xxxx 离散输入、3xxxx 输入、4xxxx 保持）"): (
        _STRANGE,
        N_("补足五位，如 40021；地址不是编号时把 address_base 设为 0 或 1"),
    ),
    N_("地址编号 %(digits)s 属于 %(named)s，与区域 %(area)s 不符"): (
        _REFERENCE,
        N_("改区域，或改编号的首位"),
    ),
    N_("地址编号 %(digits)s 超出范围：编号从 1 到 %(highest)s"): (_RANGE, _READ_PROTOCOL),
    N_("“%(part)s”应写成“值=含义”，多项用分号隔开"): (_WRONG, N_("如 0=off;1=heating")),
    N_("应写成“值=含义”，多项用分号隔开"): (_WRONG, N_("如 0=off;1=heating")),
    N_("“%(part)s”应写成“区域:地址=值”"): (_WRONG, N_("如 holding:20=1")),
    N_("“%(text)s”的级别不认识，可用：!critical、!warn、!info"): (_STRANGE, _USE_ONE),
    N_("“%(label)s”有两个级别"): (_TWICE, N_("同一故障只留一个级别")),
    N_("%(value)s 写了两次"): (
        _TWICE,
        N_("一个原值只能有一个含义：请查协议，改正其中一个原值"),
    ),
    N_("%(value)s 超出 %(bits)s 位"): (_RANGE, N_("请核对类型的位数，或掩码后的位数")),
    N_("信号名不能超过 64 字，也不能有空格和 ; = : , @"): (
        _WRONG,
        N_("用平台的信号名；没有的可自取一个，如 fan_speed"),
    ),
    N_("点号后面缺少名称"): (_BLANK, N_("写成 fault.名称，如 fault.high_pressure")),
    N_("点号后面应为序号，如 fault_bits.1"): (_WRONG, N_("写成 fault_bits.1、fault_bits.2")),
    N_("应写成 ascii:字符数（至多 240）或 datetime:格式"): (_WRONG, N_("如 ascii:16")),
    N_("线圈和离散输入没有字节序"): (_KIND, N_("清空这一格")),
    N_("倍率不能为 0"): (_RANGE, N_("不用换算时写 1 或留空")),
    N_("步长应大于 0"): (_RANGE, N_("如 1 或 0.5")),
    N_("good 不能作为无效的原因"): (_WRONG, N_("写原因，如 sensor_open")),
    N_("应写一项“信号=取值”"): (_WRONG, N_("如 fault_active=off")),
    N_("掩码只用于 bits（以及寄存器里的 bool、uint16）"): (
        _KIND,
        N_("类型改为 bits，或清空掩码"),
    ),
    N_("类型 bits 必须给出掩码"): (_BLANK, N_("第 0 位写 0x0001，第 3 位写 0x0008")),
    N_("线圈和离散输入的类型只能是 bool"): (_KIND, N_("类型改为 bool 或留空")),
    N_("最小 %(min)s 大于最大 %(max)s"): (_RANGE, N_("对调最小和最大，或改正其中一个")),
    N_("类型 %(type)s 没有倍率和偏移"): (_KIND, N_("清空倍率和偏移，或改类型")),
    N_("类型 %(type)s 没有枚举、位定义和无效值"): (_KIND, N_("清空这一格")),
    N_("类型 %(type)s 没有枚举和无效值"): (_KIND, N_("清空这一格")),
    N_("位域用“位定义”列，不用枚举"): (_KIND, N_("把内容移到“位定义”列，等号左边写位号")),
    N_("位定义只用于 bitfield16 和 bitfield32"): (
        _KIND,
        N_("类型改为 bitfield16，或把内容移到“枚举”列"),
    ),
    N_("该点只读，这一格不起作用"): (_DOUBT, N_("可写的点把“读写”改为 rw，否则清空这一格")),
    N_("输入寄存器和离散输入不能写，请给出写区域和写地址"): (
        _WRITING,
        N_("填写区域、写地址，或把“读写”改为 r"),
    ),
    N_("输入寄存器和离散输入不能写"): (_WRITING, N_("只能预写 holding 和 coil")),
    N_("位域不能写，请给出写类型"): (_WRITING, N_("填写类型，如 uint16")),
    N_("读的枚举写不进写类型 %(type)s，请给出写枚举"): (_WRITING, N_("填写枚举，如 1=heating")),
    N_("线圈用 coil，不用 rmw"): (_WRITING, N_("写方式改为 coil 或留空")),
    N_("%(method)s 只用于线圈"): (_WRITING, N_("寄存器用 value、rmw、pulse 或 command")),
    N_("应为一个功能码"): (_WRONG, N_("只写一个，如 6")),
    N_("写方式 %(method)s 不用写值，这一格不起作用"): (
        _DOUBT,
        N_("清空这一格，或改写方式为 pulse、command"),
    ),
    N_("触发要用整数类型"): (_KIND, N_("类型改为 uint16 或 bits")),
    N_("枚举里没有“%(label)s”"): (_REFERENCE, N_("先在“枚举”列写出这个取值")),
    N_("没有枚举的点不能限定可写值，请用最小、最大"): (_KIND, N_("清空这一格，填最小、最大")),
    N_("信号 %(signal)s 的类型应为 bitfield16 或 bitfield32"): (
        _KIND,
        N_("改类型；只有一个故障位时信号写 fault.名称"),
    ),
    N_("信号 %(signal)s 不能用类型 %(type)s"): (_KIND, N_("改类型，或换一个信号名")),
    N_("信号 %(signal)s 必须给出枚举"): (_BLANK, N_("如 0=off;1=heating;2=cooling")),
    N_("信号 %(signal)s 是数值，不能有枚举"): (_KIND, N_("清空枚举；特殊值写在“无效值”列")),
    N_("信号 %(signal)s 只有 on 和 off，“%(labels)s”将显示为未知取值"): (
        _DOUBT,
        N_("写成 0=off;1=on"),
    ),
    N_("占 %(count)s 个寄存器，超出地址 65535"): (_RANGE, _READ_PROTOCOL),
    N_("占 %(count)s 个寄存器，超过 max_read %(most)s"): (
        _RANGE,
        N_("改大设置 max_read，或把这个点分成几行"),
    ),
    N_("读 %(area)s 要用功能码 %(code)s，read_functions 里没有"): (
        _REFERENCE,
        N_("设备支持时在设置 read_functions 里加上，否则改区域"),
    ),
    N_("write_functions 里没有功能码 %(code)s"): (
        _REFERENCE,
        N_("设备支持时在设置 write_functions 里加上"),
    ),
    N_("写 %(count)s 个 %(area)s 要用功能码 %(code)s，write_functions 里没有"): (
        _REFERENCE,
        N_("设备支持时在设置 write_functions 里加上"),
    ),
    N_("点表里没有可读的信号 %(signal)s"): (_REFERENCE, N_("先给出这个信号的行，或改正名称")),
    N_("%(signal)s 自己不能再有条件或倍率信号"): (_REFERENCE, N_("换一个没有条件的信号")),
    N_("%(signal)s 不是数值"): (_REFERENCE, N_("换一个数值信号")),
    N_("信号 %(signal)s 没有取值“%(label)s”，可用：%(known)s"): (_REFERENCE, _USE_ONE),
    N_("信号重复：第 %(row)s 行已有，两行的条件并不互斥"): (
        _TWICE,
        N_("删去一行，或给两行写互斥的条件"),
    ),
    N_("与第 %(row)s 行的 %(signal)s 是同一个寄存器"): (
        N_("同一寄存器"),
        N_("核对地址是否错位；确认无误可继续"),
    ),
    N_("累计量只有 16 位，很快会回零"): (
        N_("16 位"),
        N_("多为 uint32，占两个寄存器；确认无误可继续"),
    ),
    N_("室外温度用无符号类型又没有偏移，读不出零下温度"): (
        N_("无符号"),
        N_("多为 int16；确认无误可继续"),
    ),
    N_("平台按 %(unit)s 保存 %(signal)s，请用倍率换算成这个单位"): (
        N_("单位不同"),
        N_("改倍率和单位；单位只是没写时填上"),
    ),
    N_("不是平台的信号名，是否应为 %(close)s？"): (N_("信号名"), N_("改成它，或保留自取的名称")),
    N_("不是平台的运行模式：%(labels)s；平台的有 %(known)s"): (
        N_("取值名"),
        N_("改成平台的运行模式；没有相当的可保留"),
    ),
    N_("没有取值 none（无故障），无故障时将显示为未知取值"): (
        N_("缺 none"),
        N_("加上无故障时的原值，如 0=none"),
    ),
    N_("同一取值有几个原始值，写入时用第一个"): (_DOUBT, _CONFIRM),
    N_("可写的点没有最小值和最大值"): (_BLANK, N_("按协议填最小、最大")),
    N_("超过 %(limit)s 字"): (_RANGE, N_("请缩短")),
    N_("不支持的功能码（not supported: %(codes)s），可用：%(known)s"): (_STRANGE, _USE_ONE),
    N_("没有这个设置项"): (_STRANGE, N_("清空它的值，这一行就会去掉")),
    N_("设置项重复：第 %(row)s 行已有"): (_TWICE, N_("清空它的值，这一行就会去掉")),
    N_("一个设置项只有一个值，后面的单元格应为空"): (
        _WRONG,
        N_("几个功能码写在一格里，用空格隔开"),
    ),
    N_("DL/T 645、CJ/T 188 表计的规约目前不支持：只能接 Modbus 的设备和表计"): (
        _STRANGE,
        N_("表计请选 Modbus 接口的型号"),
    ),
    N_("应为 supply、return 或点表里的一个信号"): (_REFERENCE, N_("多数填 supply 或 return")),
    N_("没有表头和点"): (_BLANK, N_("请填写点")),
    N_("表头下面没有点"): (_BLANK, N_("请填写点，或上传点表")),
    N_("第 %(line)s 行有超过 %(limit)s 字的单元格"): (_RANGE, N_("请缩短")),
    N_("文件超过 %(limit)s 字节"): (_RANGE, N_("请删去平台不用的点")),
    N_("文件超过 %(limit)s 行"): (_RANGE, N_("请删去平台不用的点")),
    N_("没有这一列，请改名或删去"): (_STRANGE, N_("按模板的表头改名")),
    N_("这一列出现了两次"): (_TWICE, N_("只留一列")),
    N_("缺少这一列"): (_BLANK, N_("按模板补上这一列")),
    N_("这一行应是表头（signal、area、address、type 等），没有一个认识的列名"): (
        _STRANGE,
        N_("按模板的表头改名"),
    ),
    N_("这一格在第 %(place)s 列，上面没有列名：多了一个逗号？"): (
        _WRONG,
        N_("删去多余的逗号，或补上列名"),
    ),
    N_("文件是空的"): (_BLANK, N_("请填写点")),
}


@dataclass(frozen=True)
class Advice:
    """In the reader's language. `letters`: what stands there instead of digits."""

    short: str
    advice: str
    letters: str = ""

    def said(self, template: str, params: Mapping[str, object]) -> str:
        """The reason; of a number with letters in it, which they are."""
        if self.letters:
            return _("不是数字（字母 %(letters)s）") % {"letters": self.letters}
        return _(template) % params if params else _(template)


def of(mistake: Mistake) -> Advice:
    """What to do about a mistake or reminder."""
    short, words = ADVICE.get(mistake.template, (_WRONG, _READ_PROTOCOL))
    letters, meant = _meant(mistake.value)
    if mistake.template in (_INTEGER, _NUMBER) and meant:
        guess = _("是否 %(meant)s？十六进制写 0x82 或 82H") % {"meant": meant}
        return Advice(_(short), guess, letters)
    if close := _close(mistake):
        return Advice(_(short), _("是否 %(close)s？") % {"close": close})
    return Advice(_(short), _(words))


def _meant(text: str) -> tuple[str, str]:
    """The letters among the digits, and the number without them; "" where it is none."""
    letters = "".join(dict.fromkeys(sign for sign in text if sign in _LOOKS_LIKE))
    meant = "".join(_LOOKS_LIKE.get(sign, sign) for sign in text)
    is_number = re.fullmatch(r"-?\d+(\.\d+)?", meant) and re.search(r"\d", text)
    return (letters, meant) if letters and is_number else ("", "")


def _close(mistake: Mistake) -> str:
    """The choice that was probably meant."""
    if mistake.template not in (_TYPE, _CHOICE):
        return ""
    word = mistake.value.strip().lower()
    if mistake.template == _TYPE and (named := foreign.type_of(word)):
        return named
    known = re.split("[、 ]", str(mistake.params.get("known", "")))
    return next(iter(get_close_matches(word, known, 1, 0.6)), "")
