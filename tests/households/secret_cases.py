"""Constraints of what is sealed, kept and watched: one case each, for test_constraints."""

from households.models import FilePurpose, StoredFile
from tests.cast import Cast
from tests.constraints import Case


def stored_file(purpose: str) -> Case:
    def case(cast: Cast) -> object:
        return StoredFile.objects.create(name="0" * 32, purpose=purpose, size=1)

    return case


CASES: list[tuple[str, Case]] = [
    ("stored_file_purpose_known", stored_file("loot")),
    ("stored_file_stays_only_as_document", stored_file(FilePurpose.UPLOAD)),
]
