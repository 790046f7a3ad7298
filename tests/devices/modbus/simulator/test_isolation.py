import ast
import sys
from pathlib import Path

import devices.modbus.simulator

PACKAGE = "devices.modbus.simulator"
FOLDER = Path(devices.modbus.simulator.__file__).parent


def imported(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file.name}: relative import"
            names.add(node.module or "")
    return names


def test_the_simulator_imports_nothing_but_itself_and_the_standard_library() -> None:
    files = list(FOLDER.glob("**/*.py"))
    assert len(files) > 15
    foreign = {
        (file.name, name)
        for file in files
        for name in imported(file)
        if not (name == PACKAGE or name.startswith(PACKAGE + "."))
        and name.split(".")[0] not in sys.stdlib_module_names
    }
    assert foreign == set()


def test_the_simulator_loads_no_module_dynamically() -> None:
    for file in FOLDER.glob("**/*.py"):
        text = file.read_text(encoding="utf-8")
        assert "importlib" not in text and "__import__" not in text, file.name
