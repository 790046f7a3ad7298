"""What the database refuses of register maps."""

from __future__ import annotations

from typing import Any

from devices.models import RegisterMap
from tests.cast import Cast
from tests.constraints import Case


def knowing(**fields: Any) -> Case:
    """A version whose known register is not whole, or beyond what a word can be."""

    def keep(cast: Cast) -> object:
        return RegisterMap.objects.filter(pk=cast.air.register_map_id).update(**fields)

    return keep


CASES: list[tuple[str, Case]] = [
    ("map_known_register_is_whole", knowing(known_address=100)),
    ("map_known_register_is_whole", knowing(known_area="holding", known_address=100)),
    (
        "map_known_register_is_whole",
        knowing(known_area="holding", known_address=65536, known_word=1),
    ),
    (
        "map_known_register_is_whole",
        knowing(known_area="holding", known_address=1, known_word=65536),
    ),
]
