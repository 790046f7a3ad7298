"""The file of one household (一户一档): its papers and photos in the archive's order (卷内目录)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import IO

from django.db import transaction
from django.utils.translation import gettext as _

from households import clock, vault
from households.archive import incoming
from households.archive.incoming import FileRefused
from households.audit import history
from households.models import Document, DocumentKind, Household, Method, StepKind, User

AT_ONCE = 20  # files of one sending
# Papers that the file of every household must have, with the step that brings them.
OF_EVERYBODY = {
    DocumentKind.SURVEY_FORM: StepKind.SURVEYED,
    DocumentKind.ACCEPTANCE: StepKind.ACCEPTED,
}
OF_A_UNIT = {
    DocumentKind.AGREEMENT: StepKind.SIGNED,
    DocumentKind.INSTALLATION: StepKind.INSTALLED,
    DocumentKind.COMMISSIONING: StepKind.COMMISSIONED,
    DocumentKind.USER_CONFIRMATION: StepKind.COMMISSIONED,
    DocumentKind.CONFORMITY: StepKind.ACCEPTED,
}
OF_THE_NETWORK = {DocumentKind.HEAT_AGREEMENT: StepKind.SIGNED}


def add(
    household: Household,
    kind: str,
    file: IO[bytes],
    *,
    by: User,
    on: date | None = None,
    title: str = "",
) -> Document:
    """Take a photo or PDF into the household's file. The same file sent twice is one paper.

    `on` is the paper's date: by default the day of the photo, else today. Raises FileRefused.
    """
    data = incoming.whole(file)
    digest = sha256(data).hexdigest()
    if known := household.documents.standing().filter(digest=digest).first():
        return known
    content = incoming.taken(data, _watermark(household))
    try:
        return _store(household, kind, content, digest, by, on, title)
    except vault.VaultRefused as reason:
        raise FileRefused(reason.sentence) from None


def _watermark(household: Household) -> Callable[[datetime | None], list[str]]:
    """Time, village and 户编号; no names."""
    place = " ".join(
        area.name for area in (household.area.town, household.area) if area is not None
    )
    if household.area.town == household.area:
        place = household.area.name

    def words(taken_at: datetime | None) -> list[str]:
        moment = (taken_at or clock.now()).astimezone(clock.SHANGHAI)
        said = "" if taken_at else _("（上传时间）")
        return [f"{moment:%Y-%m-%d %H:%M}{said}　{place}　{household.number}"]

    return words


@transaction.atomic
def _store(
    household: Household,
    kind: str,
    content: incoming.Incoming,
    digest: str,
    by: User,
    on: date | None,
    title: str,
) -> Document:
    Household.objects.select_for_update().get(pk=household.pk)  # two sendings of one photo
    if known := household.documents.standing().filter(digest=digest).first():
        return known
    taken_on = content.taken_at and content.taken_at.astimezone(clock.SHANGHAI).date()
    latitude, longitude = content.position or (None, None)
    thumbnail = vault.put(content.thumbnail, purpose="document") if content.thumbnail else ""
    return Document.objects.create(
        household=household,
        kind=DocumentKind(kind),
        title=title,
        on=on or taken_on or clock.today(),
        pages=content.pages,
        content_type=content.content_type,
        size=len(content.data),
        digest=digest,
        file=vault.put(content.data, purpose="document"),
        thumbnail=thumbnail,
        taken_at=content.taken_at,
        latitude=latitude,
        longitude=longitude,
        added_by=by,
        added_at=clock.now(),
    )


def withdraw(document: Document, *, why: str) -> None:
    """Take a paper out of the file that does not belong there; its row stays and says why."""
    document.withdrawn_at, document.withdrawn_why = clock.now(), why
    with history.because(why):
        document.save(update_fields=["withdrawn_at", "withdrawn_why"])


# -- contents ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of 卷内目录: a paper that is there, or one that must come (`said`)."""

    kind: DocumentKind
    document: Document | None = None
    said: str = ""
    is_lacking: bool = False

    @property
    def label(self) -> str:
        title = self.document.title if self.document else ""
        return f"{self.kind.label}（{title}）" if title else str(self.kind.label)

    @property
    def on(self) -> date | None:
        return self.document.on if self.document else None

    @property
    def pages(self) -> int | None:
        return self.document.pages if self.document else None


def contents(household: Household, user: User | None = None) -> list[Entry]:
    """All lines in the archive's order; of a document only those that `user` may see."""
    papers: dict[str, list[Document]] = defaultdict(list)
    rows = household.documents.standing().in_archive_order()
    for document in rows.visible_to(user) if user else rows:
        papers[document.kind].append(document)
    wanted, found = _wanted(household), []
    for kind in DocumentKind:
        if papers[kind]:
            found += [Entry(kind, document) for document in papers[kind]]
        elif kind in wanted:
            found.append(_to_come(household, kind, wanted[kind]))
    return found


def _wanted(household: Household) -> dict[DocumentKind, StepKind]:
    return OF_EVERYBODY | (OF_A_UNIT if Method(household.method).has_unit else OF_THE_NETWORK)


def _to_come(household: Household, kind: DocumentKind, step: StepKind) -> Entry:
    if any(taken.kind == step for taken in household.steps.all()):
        return Entry(kind, said=_("缺"), is_lacking=True)
    return Entry(kind, said=_("待办"))
