"""What makers write in lists of their own, said in the words of a register map.

Heads (寄存器地址, 数据类型, 系数 …), types of PLCs (REAL, DINT, WORD), function codes instead of
areas, ranges and lists of values in one cell, `40021:REAL:CDAB`. Nothing here knows any one maker.
Every function gives "" (or nothing) where it does not understand.
"""

from __future__ import annotations

import re

from devices.modbus import rawtypes, signals
from devices.modbus.cells import plain
from devices.modbus.mapcolumns import column_of

# Heads beyond our own; longer ones first, because one may stand within another.
_HEADS: tuple[tuple[str, str], ...] = (
    ("place", r"地址[:/类]+类型|变量地址|tag ?address"),
    ("function", r"功能码|function( ?code)?|^fc$|命令码"),
    ("range", r"范围|量程|range|取值区间"),
    ("enum", r"枚举|取值|含义|状态说明|值说明|数据说明|values?|description of value"),
    ("min", r"最小|下限|min|low"),
    ("max", r"最大|上限|max|high"),
    ("write_address", r"写地址|写寄存器"),
    ("address", r"地址|address|addr|^寄存器|编号|register|hex|plc"),
    ("order", r"字节序|字序|字节顺序|高低位|byte ?order|word ?order|endian"),
    ("type", r"类型|格式|type|format"),
    ("scale", r"倍率|系数|比例|精度|分辨率|scale|factor|ratio|resolution|gain|乘数|放大"),
    ("offset", r"偏移|offset|基数"),
    ("unit", r"单位|unit"),
    ("access", r"读写|权限|属性|access|r/?w|操作"),
    ("area", r"区域|寄存器类型|数据区|area|region"),
    ("signal", r"信号|signal"),
    ("step", r"步长|step"),
    ("invalid", r"无效|invalid"),
    ("bit", r"^位$|位号|^bit"),
    ("note", r"备注|说明|note|remark|comment"),
    ("", r"长度|字节数|length|size"),
    ("name", r"名称|名字|参数|变量|描述|内容|定义|name|description|item|parameter|tag"),
)
_TYPES = {
    "int16": "int short sint16 s16 i16 int16 signed signed16 integer 有符号 有符号整数 有符号16位",
    "uint16": "word uint u16 ui16 uint16 ushort unsigned unsigned16 无符号 无符号整数 无符号16位",
    "int32": "dint long s32 i32 int32 sint32 slong 有符号32位 长整数 长整型",
    "uint32": "dword udint u32 ui32 uint32 ulong 无符号32位 双字",
    "float32": "real float f32 float32 single ieee754 浮点 浮点数 单精度 单精度浮点",
    "float64": "lreal double f64 float64 双精度",
    "int64": "lint int64 s64 i64",
    "uint64": "ulint lword uint64 u64",
    "bool": "bool boolean bit 位 布尔 开关量",
    "bcd16": "bcd bcd16",
    "bcd32": "bcd32",
}
_TYPE_OF = {word: name for name, words in _TYPES.items() for word in words.split()}
_ORDERS = {
    "ABCD": "abcd big 大端 高字在前 3210 big-endian bigendian 1234 高位在前 hi-lo",
    "CDAB": "cdab little 低字在前 1032 3412 字交换 swap wordswap word-swap lo-hi",
    "BADC": "badc 2301 2143 字节交换 byteswap byte-swap",
    "DCBA": "dcba 小端 0123 4321 little-endian littleendian 低位在前",
}
_ORDER_OF = {word: name for name, words in _ORDERS.items() for word in words.split()}
_AREAS = {
    "coil": "1 01 0x01 coil coils 线圈 do",
    "discrete": "2 02 0x02 discrete 离散输入 离散 di",
    "holding": "3 03 0x03 6 06 16 0x10 holding 保持寄存器 保持 ao 3/6 03/06 03/16 03,06 3,6 3/16",
    "input": "4 04 0x04 input 输入寄存器 输入 ai",
}
_AREA_OF = {word: name for name, words in _AREAS.items() for word in words.split()}
_ADDRESS = r"(0[xX])?[0-9a-fA-F]+[hH]?(\.\d{1,2})?"
_READS = {"r", "ro", "read", "只读", "读", "03", "04", "3", "4", "readonly", "read only"}
_WRITES = {"w", "wo", "write", "只写", "写", "writeonly", "write only"}
_BOTH = {"rw", "r/w", "w/r", "wr", "读写", "读/写", "可读写", "可读可写", "read/write", "readwrite"}

# What makers call the signals; the first that is found within a name holds.
_SET = "(设定|设置|目标|set ?point|setting|set |target)"
_OUT = "(出水|供水|送风|outlet|leaving|supply|flow)"
_IN = "(回水|进水|inlet|return|entering)"
_SIGNALS: tuple[tuple[str, str], ...] = (
    ("supply_temp_setpoint", f"{_SET}[^室]*{_OUT}|{_OUT}[^室]*{_SET}"),
    ("return_temp_setpoint", f"{_SET}[^室]*{_IN}|{_IN}[^室]*{_SET}"),
    (
        "indoor_temp_setpoint",
        f"{_SET}(室内|室温|温度|房间|room|indoor|temp)|(室内|室温|房间|room|indoor)[^水]*{_SET}",
    ),
    ("alarm_reset", r"(报警|故障|告警).*(复位|清除)|复位|(alarm|fault|error) ?clear|reset"),
    ("supply_temp", r"(出水|供水|送风|出风)(口)?温|(outlet|leaving|supply|flow).*temp"),
    ("return_temp", r"(回水|进水|回风)(口)?温|(inlet|return|entering).*temp"),
    ("outdoor_temp", r"(室外|环境|外环|大气)(环境)?温|(ambient|outdoor|outside).*temp"),
    ("indoor_temp", r"(室内|房间|室)(环境)?(实际|实测)?温|(room|indoor).*temp"),
    (
        "power_state",
        r"开关机|启停|开/关机|电源状态|开机|运行开关|机组开关|on ?[/-] ?off|power (state|sw)",
    ),
    ("mode", r"运行模式|工作模式|^模式|模式(状态|设定|设置)?$|^(operat\w+|run\w*|work\w*)? ?mode"),
    ("fault_code", r"(故障|报警|错误)(代码|码)|(fault|error|alarm) ?code"),
    (
        "fault_bits",
        r"故障(位|字|状态|信息|\d)|报警(位|字|状态|\d)|(fault|alarm|error)s?( ?\d| word|$)",
    ),
    ("electric_energy", r"(累计|总)?(用)?电(量|能)$|电度|electric\w* energy|^energy|kwh"),
    ("electric_power", r"(用电|输入|有功|电)功率|(input|active|electric\w*) power"),
    ("heat_energy", r"累计(热量|供热)|heat\w* energy"),
    ("gas_volume", r"(累计)?(用)?(燃)?气量|gas volume"),
    ("compressor_freq", r"压缩机(运行)?频率|压机频率|compressor freq"),
    ("compressor_running", r"压缩机(运行|状态)?$|compressor( (run\w*|status|state))?$"),
    ("defrosting", r"化霜|除霜|defrost"),
    ("water_pressure", r"水压|water pressure"),
    ("flow_rate", r"(瞬时)?流量|flow rate"),
    ("runtime_hours", r"(累计)?运行时间|run\w* (time|hours)"),
)
_MODES = {
    "off": "关 关机 停 停机 待机",
    "heating": "制热 采暖 供暖 加热 heat heating",
    "cooling": "制冷 cool cooling",
    "auto": "自动 auto",
    "hot_water": "热水 生活热水 制热水 dhw",
    "heating_hot_water": "制热+热水 采暖+热水 制热热水",
    "fan": "送风 通风 fan",
    "dehumidify": "除湿 dry",
    "defrost": "化霜 除霜",
}
_MODE_OF = {word: name for name, words in _MODES.items() for word in words.split()}
_SWITCH = {"开": "on", "关": "off", "开机": "on", "关机": "off", "运行": "on", "停止": "off"}
_SWITCH |= {"有": "on", "无": "off", "是": "on", "否": "off", "启动": "on", "停机": "off"}
_SWITCH |= {"on": "on", "off": "off"}


def head_of(text: str) -> str:
    """The column, or `place`, `function`, `range`, `bit`, that a head probably means."""
    if column := column_of(text):
        return column
    words = " ".join(plain(text).lower().split())
    return next((column for column, form in _HEADS if words and re.search(form, words)), "")


def type_of(text: str) -> str:
    """Our type of a maker's: REAL is float32."""
    word = re.sub(r"[\s_()-]", "", plain(text).lower())
    if word in rawtypes.NUMBER_TYPES:
        return word
    return _TYPE_OF.get(word) or _described(word)


def _described(word: str) -> str:
    """`16位无符号整数`, `signed short`, `unsigned int (32 bit)`; bare `2字节` says no sign."""
    if re.search(r"float|浮点|real", word):
        return "float64" if re.search(r"64|double|双精度", word) else "float32"
    wide = re.search(r"32|双字|长|long|dword|4字节", word)
    if re.search(r"无符号|unsigned", word):
        return "uint32" if wide else "uint16"
    if re.search(r"有符号|signed", word):
        return "int32" if wide else "int16"
    return ""


def order_of(text: str) -> str:
    """ABCD and its like."""
    word = re.sub(r"[\s_]", "", plain(text).lower())
    return word.upper() if word in ("ab", "ba") else _ORDER_OF.get(word, "")


def area_of(text: str) -> str:
    """An area by its name or by the function code that reads it."""
    return _AREA_OF.get(re.sub(r"[\sHh]+$", "", plain(text).lower()).replace("，", ","), "")


def access_of(text: str) -> str:
    """r, w or rw."""
    word = plain(text).lower()
    if word in _BOTH:
        return "rw"
    return "w" if word in _WRITES else "r" if word in _READS else ""


def scale_of(text: str) -> str:
    """A factor: `0.1`, `0.1℃`, `×0.1`, `1/10`, `÷10`. Whether `×10` and `放大10倍` mean the value
    or the register makers alone know: that stays for them to say."""
    if re.search(r"[×*xX倍]\s*[1-9]\d|\d\s*倍", text):
        return ""
    word = plain(text).lower().replace("×", "").replace("*", "").replace("÷", "/").lstrip("x")
    if found := re.fullmatch(r"1?\s*/\s*(10+)", word):
        return "0." + "0" * (len(found[1]) - 2) + "1"
    found = re.match(r"(\d+(?:\.\d+)?)\s*(?:[^\d.].*)?$", word)
    return found[1] if found else ""


def range_of(text: str) -> tuple[str, str]:
    """The least and the most of `16~30`, `16 至 30 ℃`, `-20..50`."""
    number = r"([-−]?\d+(?:\.\d+)?)\s*(?:℃|°c)?"
    found = re.match(number + r"\s*(?:~|～|至|到|\.\.+|-|—|–)\s*" + number, plain(text).lower())
    return (found[1].replace("−", "-"), found[2].replace("−", "-")) if found else ("", "")


def labels_of(text: str, signal: str) -> str:
    """`0=off;1=heating` of `0:关机，1：制热`; the labels of modes and switches in our words."""
    found = re.findall(
        r"(?:^|[\s,;，；、。/(（])(?:bit|位|D)?(0x[0-9a-f]+|\d+)位?\s*[:：=＝\-—]\s*"
        r"([^\s,;，；、。/()（）]+)",
        text,
        re.IGNORECASE,
    )
    return ";".join(f"{raw}={_label(label, signal)}" for raw, label in found)


def _label(label: str, signal: str) -> str:
    word = label.strip("“”\"'")
    if signal == "mode":
        return _MODE_OF.get(word.lower().removesuffix("模式"), word)
    if signals.kind_of(signal) == "bool":
        return _SWITCH.get(word.lower(), word)
    return word


def place_of(text: str) -> dict[str, str]:
    """Address, type and order of `40021:REAL:CDAB`, whichever of them there are."""
    pieces = [piece for piece in re.split(r"[:：,，/|;\s]+", plain(text)) if piece]
    found: dict[str, str] = {}
    for piece in pieces:
        if type_of(piece):
            found["type"] = type_of(piece)
        elif "address" not in found and re.fullmatch(_ADDRESS, piece):
            found |= address_of(piece)
        elif order_of(piece):
            found["order"] = order_of(piece)
    return found


def address_of(text: str) -> dict[str, str]:
    """The address, and the bit of `40001.3`; of `100-101` the first."""
    word = plain(text)
    if found := re.fullmatch(r"(\d+)\s*[-~～]\s*\d+", word):
        return {"address": found[1]}
    if found := re.fullmatch(r"((?:0[xX])?[0-9a-fA-F]+[hH]?)\.(\d{1,2})", word):
        return {"address": found[1], "bit": str(int(found[2]))}
    return {"address": word}


def is_hex_head(head: str) -> bool:
    """Whether a head says that what stands below is hexadecimal."""
    return bool(re.search(r"hex|16 ?进制|十六进制", plain(head).lower()))


def hexadecimal(address: str) -> str:
    """`0064` of a hexadecimal column as every reader takes it: 0x0064."""
    return f"0x{address}" if re.fullmatch(r"[0-9a-fA-F]{1,4}", address) else address


def mask_of(bit: str) -> str:
    """The mask of a bit's number: `3`, `bit3`, `D3`."""
    found = re.fullmatch(r"(?:bit|位|d|b)?\s*(\d{1,2})\s*位?", plain(bit).lower())
    return f"0x{1 << int(found[1]):04X}" if found and int(found[1]) < 16 else ""


def signal_of(name: str) -> str:
    """The platform's signal that a maker's name probably means."""
    word = re.sub(r"(?<![a-z])\s|\s(?![a-z\d/-])|[()（）]", "", plain(name).lower())
    known = signals.by_chinese_name().get(plain(name))
    if known or plain(name).lower() in signals.signals():
        return known or plain(name).lower()
    return next((signal for signal, form in _SIGNALS if re.search(form, word)), "")


def free_name(name: str) -> str:
    """A maker's name as a free signal's: no blanks and none of `; = : , @`."""
    return re.sub(r"[\s;=:,@；：，＝＠]+", "_", plain(name)).strip("_")[:60]
