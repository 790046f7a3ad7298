"""The order of the house: households ← devices ← telemetry ← plans ← heating_platform.

Kept for imports, for relations named by a string ("app.Model") and for migration dependencies.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = ("households", "devices", "telemetry", "plans", "heating_platform")
MODBUS = ROOT / "devices" / "modbus"
PURE = {"devices.modbus"}  # all of the project that the wire may know
NOT_ON_THE_WIRE = {"django", "celery", "kombu", "psycopg2", "psycopg", "redis", "rest_framework"}
MAY_BE_ASYNCHRONOUS = (
    "devices/modbus/",
    "devices/management/commands/line.py",  # an engineer's own loop, without a platform
    "devices/management/commands/docking.py",
    "telemetry/line_worker.py",
    "telemetry/asking.py",
    "telemetry/polling.py",
    "telemetry/docking/benches.py",
)


def sources(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*.py"))
    assert found, folder
    return found


def imported(path: Path) -> Iterator[str]:
    """Full names of the modules that a file imports, wherever in it, relative ones resolved."""
    return _imports(ast.parse(path.read_text()), path.relative_to(ROOT).parent.parts)


def _imports(tree: ast.AST, package: tuple[str, ...]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*start, *filter(None, [node.module])))
            yield from (f"{module}.{name.name}" for name in node.names)


def strings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def to_the_right(app: str) -> tuple[str, ...]:
    return LAYERS[LAYERS.index(app) + 1 :]


@pytest.mark.parametrize("app", LAYERS)
def test_an_app_imports_only_those_to_its_left(app: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(ROOT / app)
        for name in imported(path)
        if name.split(".")[0] in to_the_right(app)
    ]
    assert not wrong


@pytest.mark.parametrize("app", LAYERS)
def test_relations_named_by_a_string_point_to_the_left(app: str) -> None:
    model = re.compile(rf"({'|'.join(LAYERS)})\.[A-Z]\w+")
    wrong = [
        f"{path.relative_to(ROOT)} names {text}"
        for path in sources(ROOT / app)
        for text in strings(path)
        if model.fullmatch(text) and text.split(".")[0] in to_the_right(app)
    ]
    assert not wrong


@pytest.mark.parametrize("app", LAYERS[:-1])
def test_migrations_depend_only_on_those_to_the_left(app: str) -> None:
    from django.db.migrations.loader import MigrationLoader

    wrong = [
        f"{key} depends on {on}"
        for key, migration in MigrationLoader(None).disk_migrations.items()
        if key[0] == app
        for on in migration.dependencies
        if on[0] in to_the_right(app)
    ]
    assert not wrong


def test_the_wire_knows_neither_django_nor_celery_nor_database_nor_any_app() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(MODBUS)
        for name in imported(path)
        if name.split(".")[0] in NOT_ON_THE_WIRE
        or (name.split(".")[0] in LAYERS and not name.startswith(tuple(PURE)))
    ]
    assert not wrong


def test_the_bounded_child_knows_nothing_but_itself() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(ROOT / "households" / "ledger" / "bounded")
        for name in imported(path)
        if name.split(".")[0] in NOT_ON_THE_WIRE
        or (name.split(".")[0] in LAYERS and not name.startswith("households.ledger.bounded"))
    ]
    assert not wrong


def test_the_simulator_shares_no_reading_of_the_register_map_with_the_platform() -> None:
    platform = ("points", "pointmap", "blocks", "frames", "line", "visits")
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(MODBUS / "simulator")
        for name in imported(path)
        if name.startswith(tuple(f"devices.modbus.{module}" for module in platform))
    ]
    assert not wrong


def test_asynchronous_code_lives_on_the_wire_and_in_the_line_worker_alone() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for app in LAYERS
        for path in sources(ROOT / app)
        if not str(path.relative_to(ROOT)).startswith(MAY_BE_ASYNCHRONOUS)
        and _is_asynchronous(path)
    ]
    assert not wrong


def _is_asynchronous(path: Path) -> bool:
    names = {name.split(".")[0] for name in imported(path)}
    return bool(names & {"asyncio", "uvloop"}) or any(
        isinstance(node, ast.AsyncFunctionDef) for node in ast.walk(ast.parse(path.read_text()))
    )


def test_hidden_and_relative_imports_are_seen() -> None:
    text = (
        "def f():\n    from plans.models import TaskPlan\n    from ..x import y\n    import asyncio"
    )
    names = set(_imports(ast.parse(text), ("devices", "models")))
    assert names == {"plans.models.TaskPlan", "devices.x.y", "asyncio"}
