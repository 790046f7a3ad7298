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
from households.archive import incoming
from households.models import ChangeSlip, Paper, User, VillageList
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


@login_required
@never_cache
@require_safe
def paper(request: SignedIn, uid: str) -> FileResponse:
    """One paper of a list or slip that the user may see; never shown as a page of this site."""
    one = get_object_or_404(Paper.objects.visible_to(request.user), uid=uid)
    filename = f"{one.title}.{incoming.SUFFIXES[one.content_type]}"
    return downloads.paper(one.file, filename, one.content_type)
