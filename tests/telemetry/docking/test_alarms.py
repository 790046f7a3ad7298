"""Alarms of samples: what is done to them on purpose wakes nobody, what is owed to them does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from telemetry.models import DockingTest, Obligation
from tests.cast import Cast, answered
from tests.telemetry.alarm_scene import NOON, after, reviewed, told
from tests.telemetry.docking_scene import a_test

pytestmark = pytest.mark.django_db


def shows_a_fault(test: DockingTest, begin: float) -> None:
    for second in (begin, begin + 60):
        answered(test.sample, after(second), fault_active=True, fault_bits=["high_pressure"])
        reviewed(after(second + 1))


def test_a_fault_made_at_the_bench_is_no_alarm_until_the_test_is_over(cast: Cast) -> None:
    test = a_test(cast)
    shows_a_fault(test, 0)
    assert told() == []
    test.judged_at, test.passed, test.digest, test.report = NOON, True, "0" * 64, "{}"
    test.save()
    shows_a_fault(test, 120)
    assert told() == ["fault"]


def test_a_value_that_is_owed_too_long_is_an_alarm_at_the_bench_too(cast: Cast) -> None:
    test = a_test(cast)
    Obligation.objects.create(
        unit=test.sample,
        signal="power_state",
        former=True,
        test_value=False,
        by=cast.tester,
        made_at=NOON - timedelta(minutes=20),
        restore_at=NOON - timedelta(minutes=19),
    )
    reviewed(after(1))
    reviewed(after(60))
    assert told() == ["restore_overdue"]
