"""Points whose value is text: `ascii:n` and `datetime:format`.

`ascii:n` is n characters, two to a register, the first in the high byte (order BA: in the low
byte); a NUL ends the text, blanks around it are dropped.

`datetime:format` is `unix` (seconds since 1970 UTC in two registers, order as for 32 bits) or a
picture of the registers made of the letters Y M D h m s. A field that stands alone between
separators fills a register (`Y-M-D-h-m-s`), fields that stand together take a byte each
(`YM-Dh-ms` or `YYMMDDhhmmss`), `YYYY` beside others takes two. `bcd:` in front says that the
digits are BCD. A year below 100 is of this century. The value is ISO 8601 without a zone, the
device's own clock; of `unix` it is UTC with its zone.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache

from devices.modbus.rawtypes import in_order

MAX_CHARACTERS = 240
_LETTERS = str.maketrans("ydHS", "YDhs")


def is_text(type_: str) -> bool:
    """Whether a type's value is text."""
    return type_.startswith(("ascii:", "datetime:"))


def is_unix(type_: str) -> bool:
    """Whether a type counts seconds in a 32-bit number."""
    return type_ == "datetime:unix"


@lru_cache(maxsize=256)
def _fields(type_: str) -> tuple[tuple[str, int], ...]:
    """The fields of a datetime's picture: (letter, bytes); empty where it is no picture."""
    picture = type_.removeprefix("datetime:").removeprefix("bcd:").translate(_LETTERS)
    fields: list[tuple[str, int]] = []
    for group in re.split(r"[-/: ,.T]+", picture):
        runs = [match.group() for match in re.finditer(r"(.)\1*", group)]
        sizes = [2 if len(runs) == 1 or run == "YYYY" else 1 for run in runs]
        if sum(sizes) % 2 or not set(group) <= set("YMDhms"):
            return ()
        fields += [(run[0], size) for run, size in zip(runs, sizes, strict=True)]
    letters = [letter for letter, _ in fields]
    complete = set("YMD") <= set(letters) and len(set(letters)) == len(letters)
    return tuple(fields) if complete else ()


def text_registers(type_: str) -> int:
    """Registers of a text type; 0 where the type is not one that we know."""
    if is_unix(type_):
        return 2
    if type_.startswith("datetime:"):
        return sum(size for _, size in _fields(type_)) // 2
    count = type_.removeprefix("ascii:")
    return (
        -(-int(count) // 2)
        if re.fullmatch(r"[1-9]\d{0,2}", count) and (int(count) <= MAX_CHARACTERS)
        else 0
    )


def _to_bytes(words: tuple[int, ...], order: str) -> bytes:
    return b"".join(int(word).to_bytes(2, "big") for word in in_order(words, order))


def _number(part: bytes, bcd: bool) -> int:
    return int(part.hex()) if bcd else int.from_bytes(part, "big")


def _moment(type_: str, data: bytes) -> str | None:
    values, place = {"h": 0, "m": 0, "s": 0}, 0
    try:
        for letter, size in _fields(type_):
            values[letter] = _number(data[place : place + size], "bcd:" in type_)
            place += size
        year = values["Y"] + (2000 if values["Y"] < 100 else 0)
        moment = datetime(year, *(values[letter] for letter in "MDhms"))  # type: ignore[arg-type]
    except (ValueError, OverflowError):
        return None
    return moment.isoformat()


def text_of(type_: str, words: tuple[int, ...], order: str) -> str | None:
    """The text in these words; None where they hold none (not ASCII, no such date)."""
    data = _to_bytes(words, order)
    if is_unix(type_):
        return datetime.fromtimestamp(int.from_bytes(data, "big"), UTC).isoformat()
    if type_.startswith("datetime:"):
        return _moment(type_, data)
    size = int(type_.removeprefix("ascii:"))
    try:
        text = data[:size].split(b"\0")[0].decode("ascii").strip()
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() else None


def _part(number: int, size: int, bcd: bool) -> bytes:
    if size == 1:
        number %= 100
    return bytes.fromhex(f"{number:0{size * 2}d}") if bcd else number.to_bytes(size, "big")


def _moment_bytes(type_: str, text: str) -> bytes:
    moment = datetime.fromisoformat(text)
    if is_unix(type_):
        known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return int(known.timestamp()).to_bytes(4, "big")
    values = dict(zip("YMDhms", moment.timetuple()[:6], strict=True))
    return b"".join(_part(values[letter], size, "bcd:" in type_) for letter, size in _fields(type_))


def words_of(type_: str, text: str, order: str) -> list[int]:
    """The words that hold this text; raises ValueError where they cannot."""
    size = text_registers(type_) * 2
    if type_.startswith("ascii:"):
        data = text.encode("ascii")
        if len(data) > int(type_.removeprefix("ascii:")):
            raise ValueError(text)
    else:
        try:
            data = _moment_bytes(type_, text)
        except OverflowError:
            raise ValueError(text) from None
    data = data.ljust(size, b"\0")
    words = [int.from_bytes(data[at : at + 2], "big") for at in range(0, size, 2)]
    return in_order(words, order)
