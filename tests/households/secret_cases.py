"""Constraints of what is sealed, kept and watched: one case each, for test_constraints."""

from typing import Any

from households.models import CardCode, FilePurpose, PhoneReveal, RevealHow, StoredFile
from tests.cast import Cast
from tests.constraints import Case


def stored_file(purpose: str) -> Case:
    def case(cast: Cast) -> object:
        return StoredFile.objects.create(name="0" * 32, purpose=purpose, size=1)

    return case


def reveal(**fields: Any) -> Case:
    return lambda cast: PhoneReveal.objects.create(
        user=cast.clerk, household=cast.water_household, number="26-12-0001", **fields
    )


def two_codes(cast: Cast) -> object:
    return [CardCode.objects.create(household=cast.water_household) for _ in range(2)]


CASES: list[tuple[str, Case]] = [
    ("stored_file_purpose_known", stored_file("loot")),
    ("stored_file_stays_only_as_document", stored_file(FilePurpose.UPLOAD)),
    ("reveal_how_known", reveal(how="shout")),
    ("reveal_in_export_has_reason", reveal(how=RevealHow.EXPORT)),
    ("card_code_once_while_valid", two_codes),
]
