"""LibreOffice as an independent peer: what it opens and saves anew is what an office has."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SOFFICE = shutil.which("soffice")
needs_libreoffice = pytest.mark.skipif(
    SOFFICE is None, reason="soffice (Debian's libreoffice-calc) is not installed"
)


def through(path: Path, form: str = "xlsx") -> Path:
    """The file as LibreOffice saves it, in a folder beside it."""
    assert SOFFICE
    folder = path.parent / "anew"
    profile = (path.parent / "profile").as_uri()  # its own: two at once would wait for each other
    command = [SOFFICE, f"-env:UserInstallation={profile}", "--headless", "--convert-to", form]
    subprocess.run(
        [*command, "--outdir", str(folder), str(path)], check=True, capture_output=True, timeout=120
    )
    return folder / f"{path.stem}.{form}"
