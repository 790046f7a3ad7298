"""Every text that the tree marks for translation, found without any tool beyond Django.

`python -m tests.messages` brings locale/en/LC_MESSAGES/django.po up to date: new texts come in
without a translation, those that are gone go out.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polib

ROOT = Path(__file__).parent.parent
CATALOGUE = ROOT / "locale" / "en" / "LC_MESSAGES" / "django.po"
APPS = ("households", "devices", "telemetry", "plans", "heating_platform")
SIMPLE = {"gettext", "gettext_lazy", "gettext_noop", "N_"}
WITH_CONTEXT = {"pgettext", "pgettext_lazy"}
WITH_PLURAL = {"ngettext", "ngettext_lazy"}
Key = tuple[str | None, str]


@dataclass
class Message:
    """A text in its context, its plural if it has one, and the files where it stands."""

    context: str | None
    msgid: str
    plural: str | None = None
    places: list[str] = field(default_factory=list)


def extract() -> dict[Key, Message]:
    """All marked texts of Python files and templates, by context and text."""
    found: dict[Key, Message] = {}
    for place, message in [*_of_python(), *_of_templates()]:
        known = found.setdefault((message.context, message.msgid), message)
        known.plural = known.plural or message.plural
        if place not in known.places:
            known.places.append(place)
    return found


def _of_python() -> Iterator[tuple[str, Message]]:
    for app in APPS:
        for file in sorted((ROOT / app).rglob("*.py")):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            names = dict(_marking_names(tree))
            for node in ast.walk(tree):
                kind = names.get(_called(node)) if isinstance(node, ast.Call) else None
                if kind and isinstance(node, ast.Call) and not _is_passed_on(node):
                    yield file.relative_to(ROOT).as_posix(), _message(kind, node, file)


def _is_passed_on(node: ast.Call) -> bool:
    """Whether a text that was marked elsewhere is only translated here."""
    return all(isinstance(arg, ast.Name | ast.Attribute | ast.Subscript) for arg in node.args)


def _marking_names(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Under what names a file knows the marking functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for name in node.names:
                if name.name in SIMPLE | WITH_CONTEXT | WITH_PLURAL:
                    yield name.asname or name.name, name.name


def _called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _message(kind: str, node: ast.Call, file: Path) -> Message:
    texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
    wanted = 1 if kind in SIMPLE else 2
    if len(texts) < wanted or not all(isinstance(text, str) for text in texts[:wanted]):
        raise ValueError(f"{file}:{node.lineno}: {kind} must be called with a literal text")
    words = [str(text) for text in texts[:wanted]]
    if kind in WITH_CONTEXT:
        return Message(words[0], words[1])
    return Message(None, words[0], words[1] if kind in WITH_PLURAL else None)


def _of_templates() -> Iterator[tuple[str, Message]]:
    from django.template import engines
    from django.template.base import Node
    from django.templatetags.i18n import BlockTranslateNode, TranslateNode

    engine = engines["django"]
    for file in sorted((ROOT / "templates").rglob("*.html")):
        place = file.relative_to(ROOT).as_posix()
        template: Any = engine.from_string(file.read_text(encoding="utf-8"))
        for node in template.template.nodelist.get_nodes_by_type(Node):
            if isinstance(node, TranslateNode):
                yield place, Message(_context(node), node.filter_expression.var.literal)
            elif isinstance(node, BlockTranslateNode):
                text, _variables = node.render_token_list(node.singular)
                plural = node.render_token_list(node.plural)[0] if node.plural else None
                yield place, Message(_context(node), text, plural)


def _context(node: Any) -> str | None:
    return node.message_context.resolve({}) if node.message_context else None


def update() -> None:
    """Write the catalogue anew in the order of the tree, keeping what is translated."""
    old = polib.pofile(str(CATALOGUE)) if CATALOGUE.exists() else polib.POFile()
    known = {(entry.msgctxt, entry.msgid): entry for entry in old}
    new = polib.POFile(wrapwidth=100)
    new.metadata = {
        "Language": "en",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": "nplurals=2; plural=(n != 1);",
    }
    for key, message in sorted(extract().items(), key=lambda item: item[1].places[0]):
        new.append(_entry(message, known.get(key)))
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    new.save(str(CATALOGUE))


def _entry(message: Message, known: polib.POEntry | None) -> polib.POEntry:
    entry = polib.POEntry(
        msgctxt=message.context,
        msgid=message.msgid,
        occurrences=[(place, "") for place in message.places],
    )
    if "%(" in message.msgid:
        entry.flags.append("python-format")
    if message.plural:
        entry.msgid_plural = message.plural
        entry.msgstr_plural = known.msgstr_plural if known else {0: "", 1: ""}
    elif known:
        entry.msgstr = known.msgstr
    return entry


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "heating_platform.settings")
    django.setup()
    update()
