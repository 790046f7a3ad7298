"""What the database itself refuses: one case per named constraint, and none forgotten."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from tests.cast import Cast

Case = Callable[[Cast], object]


def named(app: str) -> set[str]:
    """The names of all constraints that the models of an app state."""
    models = apps.get_app_config(app).get_models()
    return {constraint.name for model in models for constraint in model._meta.constraints}


@contextmanager
def refused(name: str) -> Iterator[None]:
    """The block must break exactly this constraint of the database."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        yield
    assert caught.value.__cause__.diag.constraint_name == name  # type: ignore[union-attr]


def unique_over(table: str, column: str) -> str:
    """The name that the database gave to the unique constraint of one column."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table)
    return next(n for n, c in found.items() if c["unique"] and c["columns"] == [column])
