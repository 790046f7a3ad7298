"""Files handed out: a workbook to keep, a paper that somebody sent in to look at."""

from __future__ import annotations

from typing import IO

from django.http import FileResponse

from households import vault
from households.archive.incoming import JPEG

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# A file of somebody else's making is shown by itself, with no rights in this site.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


def workbook(file: IO[bytes], filename: str) -> FileResponse:
    """An open workbook to save; the response closes it, and no cache keeps it."""
    response = FileResponse(file, as_attachment=True, filename=filename, content_type=XLSX)
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    return response


def paper(name: str, filename: str, content_type: str) -> FileResponse:
    """What the vault has under `name`: a photo to look at, anything else to save.

    Never as a page of this site. The caller has seen to it that the user may see it.
    """
    response = FileResponse(
        vault.open(name),
        as_attachment=content_type != JPEG,
        filename=filename,
        content_type=content_type,
    )
    response["Content-Length"] = str(vault.size(name))
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = POLICY
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
