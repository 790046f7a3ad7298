"""What the database refuses of docking tests."""

from __future__ import annotations

from typing import Any

from telemetry.models import DockingStep, DockingTest
from tests.cast import SERVICE_BEGAN as NOON
from tests.cast import Cast
from tests.constraints import Case
from tests.telemetry.docking_scene import a_test


def wrong_test(**changes: Any) -> Case:
    return lambda cast: a_test(cast, **changes)


def open_twice(cast: Cast) -> None:
    first = a_test(cast)
    DockingTest.objects.create(
        application=first.application,
        sample=first.sample,
        started_by=first.started_by,
        started_at=NOON,
    )


def steps(*rows: dict[str, Any]) -> Case:
    def make(cast: Cast) -> None:
        test = a_test(cast)
        for place, row in enumerate(rows):
            DockingStep.objects.create(**{"test": test, "place": place, "key": "addresses"} | row)

    return make


CASES: list[tuple[str, Case]] = [
    ("docking_test_one_open_per_application", open_twice),
    ("docking_test_soak_range", wrong_test(soak_s=9)),
    ("docking_test_soak_range", wrong_test(soak_s=7 * 86_400 + 1)),
    ("docking_test_share_range", wrong_test(soak_share=0.49)),
    ("docking_test_share_range", wrong_test(soak_share=1.01)),
    ("docking_test_judged_whole", wrong_test(judged_at=NOON)),
    ("docking_test_judged_whole", wrong_test(judged_at=NOON, passed=True)),
    ("docking_test_judged_whole", wrong_test(passed=True, digest="0" * 64)),
    (
        "docking_test_judged_whole",
        wrong_test(judged_at=NOON, passed=True, digest="0" * 64),
    ),
    ("docking_step_once_per_test", steps({}, {})),
    ("docking_step_place_once", steps({"place": 1}, {"place": 1, "key": "readings"})),
    ("docking_step_state_known", steps({"state": "broken_off"})),
]
