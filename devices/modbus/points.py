"""A point of a register map, and a value with its quality."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal

from devices.modbus import rawtypes, signals, texts
from devices.modbus.cells import BIT_AREAS, Area, Target
from devices.modbus.words import Sentence

Scalar = float | bool | str | list[str] | None
Pattern = int | float
ON_WORDS = {"on": True, "off": False, "true": True, "false": False, "开": True, "关": False}
TRIGGERS = frozenset({"pulse", "command", "coil_self_clearing"})
EXACT = Context(prec=2000)  # more digits than any product of cells and registers has


@dataclass(frozen=True, slots=True)
class Value:
    """A value and its quality; `value` is None unless the quality is "good".

    `raw` is the evidence, the words as read ("0x01AF", "0x0001 0x86A0"): of every value that is
    not good though it was read, and of a set with active bits that the map does not name.
    """

    value: Scalar
    quality: str = "good"
    raw: str | None = None


class ValueRefused(Exception):
    """A value that this point does not take; `sentence` is the Chinese reason."""

    def __init__(self, template: str, **params: object) -> None:
        super().__init__(template, params)
        self.template = template
        self.params = params
        self.sentence = Sentence(template, **params)

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One row of a register map. Addresses are as on the wire, counted from 0.

    `enum`, `invalid` and `write_enum` map patterns to words, `severity` labels to critical, warn
    or info, `when` signals to the labels under which the row holds. The `write_…` fields are the
    ones in force, with what the file leaves to the reading side filled in; they are empty of a
    point that cannot be written. `write_value` is a pattern. Delays are seconds.
    """

    signal: str
    name: str = ""
    area: Area
    address: int
    type: str
    order: str = ""
    scale: Decimal = Decimal(1)
    offset: Decimal = Decimal(0)
    scale_from: str | None = None
    unit: str = ""
    access: str = "r"
    min: Decimal | None = None
    max: Decimal | None = None
    step: Decimal | None = None
    enum: Mapping[Pattern, str] = field(default_factory=dict)
    bits: Mapping[int, str] = field(default_factory=dict)
    severity: Mapping[str, str] = field(default_factory=dict)
    mask: int | None = None
    invalid: Mapping[Pattern, str] = field(default_factory=dict)
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    write_area: Area = "holding"
    write_address: int = 0
    write_type: str = ""
    write_order: str = ""
    write_scale: Decimal = Decimal(1)
    write_offset: Decimal = Decimal(0)
    write_mask: int | None = None
    write_enum: Mapping[Pattern, str] = field(default_factory=dict)
    write_function: int | None = None
    write_method: str = ""
    write_value: int | None = None
    write_delay_s: float = 2.0
    write_allowed: tuple[str, ...] = ()
    before: tuple[Target, ...] = ()
    verify: tuple[str, str] | None = None
    note: str = ""
    row: int = field(default=0, compare=False)

    @property
    def readable(self) -> bool:
        """Whether the point gives a value."""
        return "r" in self.access

    @property
    def writable(self) -> bool:
        """Whether the point takes a value."""
        return "w" in self.access

    @property
    def count(self) -> int:
        """Registers, or coils and discrete inputs, that a read of the point takes."""
        return size(self.area, self.type)

    @property
    def write_count(self) -> int:
        """Registers or coils that a write of the point takes."""
        return size(self.write_area, self.write_type)

    @property
    def read_field(self) -> int | None:
        """The bits of the register that are this point's; None where all of it is."""
        return rawtypes.BYTES.get(self.type, self.mask)

    @property
    def write_field(self) -> int | None:
        """The bits that a write may change; None where it owns the whole register."""
        return rawtypes.BYTES.get(self.write_type, self.write_mask)

    @property
    def is_bool(self) -> bool:
        """Whether the value is true or false."""
        kind = signals.kind_of(self.signal)
        if kind or self.type != "bool":
            return kind in ("bool", "cmd")
        return all(text.lower() in ON_WORDS for text in self.enum.values())


def size(area: Area, type_: str) -> int:
    """Registers or bits that a type takes in an area."""
    if area in BIT_AREAS:
        return 1
    return texts.text_registers(type_) if texts.is_text(type_) else rawtypes.registers(type_)


def field_bits(type_: str, mask: int | None) -> int:
    """Bits of the pattern: of the type, or of the masked field shifted down."""
    return rawtypes.width(type_) if mask is None else (mask >> shift_of(mask)).bit_length()


def shift_of(mask: int) -> int:
    """How far down a masked field is shifted."""
    return (mask & -mask).bit_length() - 1
