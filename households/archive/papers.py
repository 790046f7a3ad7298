"""Papers: PDF files that an office prints, signs and keeps, typeset by Typst.

A paper is a template `templates/papers/NAME.typ`, facts (JSON) and attached files. Fonts come from
the package of the platform and from nowhere else, so that a paper looks alike on every machine.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import typst
from django.conf import settings

from households import clock

TEMPLATES = Path(settings.BASE_DIR) / "templates" / "papers"
FACES = ("400Regular", "600SemiBold")
UNKNOWN = re.compile(r'the text `"(.+?)"` could not be displayed')
MOST_UNKNOWN = 60  # different signs of one paper


class NoFont(Exception):
    """The font's package is not installed: the papers would come out without their letters."""


def typeset(name: str, facts: Mapping[str, Any], attached: Mapping[str, bytes]) -> bytes:
    """The paper `name` as a PDF, for the archive (PDF/A-2u) unless foreign PDF files are part of
    it; `attached` are the files that the template names.

    A sign that our font has not (a rare character of a name, an emoji) is printed as 〓. Raises
    NoFont, and typst.TypstError for an attached file that cannot be shown.
    """
    said = json.dumps(facts, ensure_ascii=False, default=str)
    for _unknown in range(MOST_UNKNOWN):
        try:
            return _typeset(name, said, attached)
        except typst.TypstError as reason:
            if (found := UNKNOWN.search(str(reason))) is None:
                raise
            said = _without(said, found[1])
    return _typeset(name, said, attached)


def _without(said: str, unknown: str) -> str:
    """The facts with 〓 for a sign, which Typst names as `𠮷` or as `\\u{7}`."""
    sign = re.sub(r"\\u\{([0-9a-f]+)\}", lambda code: chr(int(code[1], 16)), unknown)
    return said.replace(json.dumps(sign, ensure_ascii=False)[1:-1], "〓")


def _typeset(name: str, said: str, attached: Mapping[str, bytes]) -> bytes:
    foreign = any(file.endswith(".pdf") for file in attached)
    with tempfile.TemporaryDirectory(prefix="paper-") as folder:  # mode 0700
        root = Path(folder)
        for template in TEMPLATES.glob("*.typ"):
            (root / template.name).write_bytes(template.read_bytes())
        for file, content in attached.items():
            (root / file).write_bytes(content)
        pdf = typst.compile(
            root / f"{name}.typ",
            root=root,
            font_paths=fonts(),
            ignore_system_fonts=True,
            sys_inputs={"facts": said},
            pdf_standards=[] if foreign else "a-2u",
            timestamp=clock.now().replace(microsecond=0),
        )
    assert isinstance(pdf, bytes)
    return pdf


def can_carry(pdf: bytes) -> bool:
    """Whether the sheets of a foreign PDF file can become sheets of a paper."""
    page = b'#set page(width: 10mm, height: 10mm)\n#image("carried.pdf", width: 5mm)'
    with tempfile.TemporaryDirectory(prefix="paper-") as folder:
        (Path(folder) / "carried.pdf").write_bytes(pdf)
        template = Path(folder) / "page.typ"
        template.write_bytes(page)
        try:
            typst.compile(template, root=Path(folder), font_paths=fonts())
        except typst.TypstError:
            return False
    return True


def digest(facts: Mapping[str, Any], attached: Mapping[str, bytes]) -> str:
    """SHA-256 over what a paper says and carries, 16 hex digits of it: printed on every sheet."""
    content = sha256(json.dumps(facts, ensure_ascii=False, sort_keys=True, default=str).encode())
    for file in sorted(attached):
        content.update(sha256(attached[file]).digest())
    return content.hexdigest()[:16]


def are_there() -> bool:
    """Whether the letters of papers are installed."""
    return all((settings.FONTS / face).is_dir() for face in FACES)


@cache
def fonts() -> typst.Fonts:
    """Two weights of Noto Serif SC; loaded once a process."""
    folders = [settings.FONTS / face for face in FACES]
    missing = [folder for folder in folders if not folder.is_dir()]
    if missing:
        raise NoFont(f"{missing[0]} is not there: the front-end packages are not installed")
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)
