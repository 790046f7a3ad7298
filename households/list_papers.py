"""Photos of a notice and scans of a basis: taken in, kept in the vault, handed out again."""

from __future__ import annotations

import io
from hashlib import sha256
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import FileResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from PIL import Image, ImageOps, UnidentifiedImageError

from households import clock, vault
from households.models import ChangeSlip, Paper, User, VillageList
from households.requests import SignedIn

LARGEST = 20 * 2**20  # bytes
LONGEST_EDGE = 2400  # pixels: a notice on a wall stays readable
SUFFIX = {"application/pdf": "pdf", "image/jpeg": "jpg"}


class PaperRefused(Exception):
    """The file is not taken; `sentence` says why and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@transaction.atomic
def add(owner: VillageList | ChangeSlip, file: Any, *, title: str, by: User) -> Paper:
    """Keep a PDF or a photo of the list or slip; `file` is an open file or an uploaded one.

    The same file twice is one paper.
    """
    data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise PaperRefused(_("文件超过 %(mb)d MB：请压缩后再传") % {"mb": LARGEST >> 20})
    digest = sha256(data).hexdigest()
    known = owner.papers.filter(digest=digest).first()
    if known:
        return known
    content, content_type = _clean(data)
    key = "village_list" if isinstance(owner, VillageList) else "slip"
    return Paper.objects.create(
        **{key: owner},
        title=title,
        content_type=content_type,
        size=len(content),
        digest=digest,
        file=vault.put(content, purpose="document"),
        added_by=by,
        added_at=clock.now(),
    )


def _clean(data: bytes) -> tuple[bytes, str]:
    """By content, not by name: a PDF as it is, a photo drawn anew without what hides in it."""
    if data.startswith(b"%PDF-"):
        return data, "application/pdf"
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as found:
            upright = ImageOps.exif_transpose(found).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise PaperRefused(_("只收 PDF、JPG、PNG：这个文件打不开，请重新拍照或扫描")) from error
    upright.thumbnail((LONGEST_EDGE, LONGEST_EDGE))
    drawn = io.BytesIO()
    upright.save(drawn, "JPEG", quality=85)
    return drawn.getvalue(), "image/jpeg"


@login_required
@require_safe
def paper(request: SignedIn, uid: str) -> FileResponse:
    """One paper of a list or slip that the user may see; never shown as a page of this site."""
    one = get_object_or_404(Paper.objects.visible_to(request.user), uid=uid)
    name = f"{one.title}.{SUFFIX[one.content_type]}"
    response = FileResponse(vault.open(one.file), filename=name, content_type=one.content_type)
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    return response
