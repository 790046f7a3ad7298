"""What the page of one household says of its people and papers."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from households import positions
from households.archive import documents
from households.archive.document_pages import WITHDRAWN_WHY, DocumentForm, may_add
from households.card_page import RENEWED_WHY
from households.entry import duplicates
from households.entry.household_rules import missing, reminders
from households.models import Household, User


def facts(home: Household, user: User) -> dict[str, Any]:
    """Context of the parts `resident`, `papers`, `missing` of templates/households."""
    corrects = user.may_register and not home.withdrawn_on
    entries = documents.contents(home, user)
    lacking = [entry for entry in entries if entry.is_lacking]
    wanted = {"kind": lacking[0].kind} if lacking else {}
    return {
        "corrects": corrects,
        "edit_url": reverse("edit_household", args=[home.number]) if corrects else "",
        "missing": missing(home) if corrects else [],
        "reminders": reminders(home, middle=positions.middle_of(home.area)) if corrects else {},
        "alike": duplicates.of(home, user) if corrects else [],
        "entries": entries,
        "former_numbers": list(home.former_numbers.values_list("number", flat=True)),
        "lacking": lacking,
        "document_form": DocumentForm(initial=wanted) if may_add(user) else None,
        "withdrawn_why": WITHDRAWN_WHY,
        "renewed_why": RENEWED_WHY,
    }
