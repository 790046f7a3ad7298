"""Choices that depend on one another: the villages of a town, the models of a maker.

Each app puts its trees into `TREES` when it is ready; a table gets those whose columns it has all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from households.models import Area, User


@dataclass(frozen=True)
class Tree:
    """`rows` holds whole paths, one label for each of `keys`, in the order in which they show."""

    keys: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def areas(user: User) -> Tree:
    """Towns and the villages of each that the user may see; 散户 stand with the town itself."""
    seen = Area.objects.visible_to(user).select_related("owner").order_by("order", "pk")
    rows = [
        (area.town.name, area.name if area.level == Area.Level.VILLAGE else _("（散户）"))
        for area in seen
        if area.town is not None
    ]
    towns = list(dict.fromkeys(town for town, _village in rows))
    return Tree(("town", "village"), tuple(sorted(rows, key=lambda row: towns.index(row[0]))))


TREES: list[Callable[[User], Tree]] = [areas]
