"""Papers of makers: taken in, taken away, and how each stands on a day."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import IO, Any

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from devices.docking import admission, applications
from devices.models import GATING, DeviceModel, MakerPaper, MakerPaperKind, Supplier
from households import clock, vault
from households.archive import incoming
from households.archive.incoming import FileRefused
from households.audit import history
from households.models import User
from households.notifications import tell

SOON = 30  # days before its end from which a paper is said to expire
LATELY, MOST_NEW = 30, 20  # days for which a paper is new, and how many of them are shown
OF_A_COMPANY = (MakerPaperKind.LICENCE,)
# Annex 2 items 7 to 9, and 16: what every model must come with.
OF_A_MODEL = (
    *GATING,
    MakerPaperKind.MANUAL,
    MakerPaperKind.PARAMETERS,
    MakerPaperKind.PERFORMANCE,
    MakerPaperKind.COMMITMENT,
)


@transaction.atomic
def add(
    supplier: Supplier, file: IO[bytes], *, by: User, model: DeviceModel | None = None, **said: Any
) -> MakerPaper:
    """Take in a photo or PDF as a paper of the company, or of one of its models; `said` are the
    other columns. The same said of the same file twice is one paper. Raises FileRefused."""
    data = incoming.whole(file)
    digest = sha256(data).hexdigest()
    Supplier.objects.select_for_update().get(pk=supplier.pk)  # two sendings of one file
    if known := supplier.papers.standing().filter(model=model, digest=digest, **said).first():
        return known
    content = incoming.taken(data)
    try:
        file_name = vault.put(content.data, purpose="document")
        small = vault.put(content.thumbnail, purpose="document") if content.thumbnail else ""
    except vault.VaultRefused as reason:
        raise FileRefused(reason.sentence) from None
    paper = MakerPaper.objects.create(
        supplier=supplier,
        model=model,
        pages=content.pages,
        content_type=content.content_type,
        size=len(content.data),
        digest=digest,
        file=file_name,
        thumbnail=small,
        added_by=by,
        added_at=clock.now(),
        **said,
    )
    if model is not None and paper.kind in GATING:
        admission.papers_came(model)
        _let_it_be_looked_at(paper, model)
    return paper


def _let_it_be_looked_at(paper: MakerPaper, model: DeviceModel) -> None:
    """It counts without anybody's approval: the service unit hears of it, looks, and withdraws
    what is wrong."""

    def words() -> str:
        said = {"maker": paper.supplier.name, "model": model.code, "paper": paper}
        return _("%(maker)s 上传了 %(model)s 的%(paper)s，已计入准入：请核对") % said

    page = reverse("device_model", args=[model.pk]) + "#papers"
    tell(applications.service_unit(), words, page)


def newly_brought() -> list[MakerPaper]:
    """What makers brought lately and did not take away, the newest first: for those who look."""
    since = clock.now() - timedelta(days=LATELY)
    rows = MakerPaper.objects.standing().filter(added_at__gt=since)
    return list(rows.select_related("supplier", "model").order_by("-added_at")[:MOST_NEW])


def withdraw(paper: MakerPaper, *, why: str) -> bool:
    """Take away a paper that is wrong or replaced; its row stays and says why. False where it was
    taken away before."""
    there = MakerPaper.objects.standing().filter(pk=paper.pk)
    with history.because(why):
        return bool(there.update(withdrawn_at=clock.now(), withdrawn_why=why))


# -- how papers stand ----------------------------------------------------------------------


def validity(until: date | None, since: date | None = None) -> tuple[str, str]:
    """Shape and words of something in force from `since` until `until`, as it is today."""
    today = clock.today()
    if since and since > today:
        return "st-wait", _("未生效")
    if until is None:
        return "st-ok", _("有效")
    left = (until - today).days
    if left < 0:
        return "st-bad", _("已过期")
    if left <= SOON:
        return "st-warn", _("有效，%(n)d 天后到期") % {"n": left}
    return "st-ok", _("有效")


@dataclass(frozen=True)
class Entry:
    """One line of a list of papers: a paper that is there, or a kind that is still missing."""

    kind: MakerPaperKind
    paper: MakerPaper | None = None

    @property
    def is_gating(self) -> bool:
        """Whether nothing of the model may be installed without it."""
        return self.kind in GATING

    @property
    def lacks(self) -> bool:
        """Whether nothing in force is there."""
        return self.paper is None or not _in_force(self.paper)

    @property
    def standing(self) -> tuple[str, str]:
        """Shape and words."""
        if self.paper is None:
            return ("st-bad" if self.is_gating else "st-warn"), _("缺")
        return validity(self.paper.valid_until, self.paper.valid_from)


def _in_force(paper: MakerPaper) -> bool:
    today = clock.today()
    return (paper.valid_from or today) <= today <= (paper.valid_until or today)


def contents(owner: Supplier | DeviceModel) -> list[Entry]:
    """The papers of a company itself, or of a model: in the kinds' order, the newest of each
    first; kinds that are wanted and not there too. One query."""
    if isinstance(owner, DeviceModel):
        return _entries(list(owner.papers.standing().select_related("added_by")), OF_A_MODEL)
    rows = owner.papers.filter(model=None).standing()
    return _entries(list(rows.select_related("added_by")), OF_A_COMPANY)


def newest_of_models(models: Collection[DeviceModel]) -> dict[int, list[Entry]]:
    """For each model, by its key, one entry of every kind that it must come with. One query."""
    rows = MakerPaper.objects.standing().filter(model__in=models, kind__in=OF_A_MODEL)
    found: dict[int, list[MakerPaper]] = {model.pk: [] for model in models}
    for paper in rows:
        found[paper.model_id or 0].append(paper)
    return {pk: _best(_entries(papers, OF_A_MODEL)) for pk, papers in found.items()}


def _best(entries: list[Entry]) -> list[Entry]:
    """One entry of each kind: one in force, where there is any."""
    by_kind: dict[MakerPaperKind, Entry] = {}
    for entry in entries:
        if entry.kind not in by_kind or by_kind[entry.kind].lacks:
            by_kind[entry.kind] = entry
    return list(by_kind.values())


def _entries(there: list[MakerPaper], wanted: tuple[MakerPaperKind, ...]) -> list[Entry]:
    entries = []
    for kind in MakerPaperKind:
        of_kind = [Entry(kind, paper) for paper in there if paper.kind == kind]
        entries += of_kind or ([Entry(kind)] if kind in wanted else [])
    return entries
