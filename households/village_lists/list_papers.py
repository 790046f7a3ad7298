"""Photos of a notice and scans of a basis: taken in, kept in the vault, handed out again."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import FileResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from households import clock, downloads, vault
from households.archive import incoming, pdf_files
from households.models import (
    ChangeSlip,
    Document,
    DocumentKind,
    Household,
    Paper,
    User,
    VillageList,
)
from households.requests import SignedIn


@transaction.atomic
def add(owner: VillageList | ChangeSlip, file: Any, *, title: str, by: User) -> Paper:
    """Keep a PDF or a photo of the list or slip; `file` is an open file or an uploaded one.

    The same file twice is one paper. Raises incoming.FileRefused.
    """
    data = incoming.whole(file)
    digest = sha256(data).hexdigest()
    known = owner.papers.filter(digest=digest).first()
    if known:
        return known
    kept = incoming.taken(data)
    key = "village_list" if isinstance(owner, VillageList) else "slip"
    return Paper.objects.create(
        **{key: owner},
        title=title,
        content_type=kept.content_type,
        size=len(kept.data),
        digest=digest,
        file=vault.put(kept.data, purpose="document"),
        added_by=by,
        added_at=clock.now(),
    )


def into_files(slip: ChangeSlip) -> None:
    """What a slip rests on lies in the file of each of its households too: the same scan, once."""
    homes = Household.objects.filter(pk__in=slip.lines.values("household"))
    for paper in slip.papers.all():
        pages = _pages(paper)
        there = Document.objects.standing().filter(digest=paper.digest)
        for home in homes.exclude(documents__in=there):
            Document.objects.create(
                household=home,
                kind=DocumentKind.CHANGE_BASIS,
                title=slip.number,
                on=slip.basis_on,
                pages=pages,
                content_type=paper.content_type,
                size=paper.size,
                digest=paper.digest,
                file=paper.file,
                added_by=paper.added_by,
                added_at=clock.now(),
            )


def _pages(paper: Paper) -> int:
    if paper.content_type != incoming.PDF:
        return 1
    with vault.open(paper.file) as file:
        return pdf_files.pages(file.read())


@login_required
@never_cache
@require_safe
def paper(request: SignedIn, uid: str) -> FileResponse:
    """One paper of a list or slip that the user may see; never shown as a page of this site."""
    one = get_object_or_404(Paper.objects.visible_to(request.user), uid=uid)
    filename = f"{one.title}.{incoming.SUFFIXES[one.content_type]}"
    return downloads.paper(one.file, filename, one.content_type)
