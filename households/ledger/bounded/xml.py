"""XML as parts of a workbook have it: by expat, in pieces, never with a document type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.parsers import expat

from households.ledger.bounded.refusal import Refused


def parser() -> expat.XMLParserType:
    """A parser of names like "namespace name" that refuses document types, so all entities."""
    made = expat.ParserCreate(namespace_separator=" ")
    made.buffer_text = True
    made.StartDoctypeDeclHandler = _refuse_doctype
    return made


def _refuse_doctype(*_words: object) -> None:
    raise Refused("entities")


def feed(made: expat.XMLParserType, chunks: Iterable[bytes]) -> Iterator[int]:
    """Let the parser have the document; gives the length of each piece once it has had it.

    Raises Refused if the document is broken.
    """
    try:
        for chunk in chunks:
            made.Parse(chunk, False)
            yield len(chunk)
        made.Parse(b"", True)
    except expat.ExpatError as error:
        is_full = error.code == expat.errors.codes[expat.errors.XML_ERROR_NO_MEMORY]
        raise Refused("too_much_memory" if is_full else "damaged") from error
    except (LookupError, ValueError) as error:  # an encoding that there is not
        raise Refused("damaged") from error
    yield 0


def local(name: str) -> str:
    """The name without its namespace: offices write several for the same thing."""
    return name.rpartition(" ")[2]


def elements(chunks: Iterable[bytes]) -> Iterator[tuple[str, dict[str, str]]]:
    """The elements of a small part in order, as local names with their attributes.

    An element's end comes as its name with "/" before it.
    """
    found: list[tuple[str, dict[str, str]]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        found.append((local(name), {local(key): value for key, value in attributes.items()}))

    def end(name: str) -> None:
        found.append(("/" + local(name), {}))

    made = parser()
    made.StartElementHandler, made.EndElementHandler = start, end
    for _length in feed(made, chunks):
        yield from found
        found.clear()
