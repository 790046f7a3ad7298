"""Alarms: the second sample, one open per kind and subject, who sees and who acknowledges."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from households import clock
from households.models import Role, User
from telemetry import alarms, tasks
from telemetry.models import Alarm, AlarmKind, GatewayMonth, Severity, UnitState, Watch
from tests.cast import Cast, answered, gateway, gather, unit, user
from tests.telemetry.alarm_scene import NOON, after, line, missed, reviewed, the, told, worker_lives


def fault(cast: Cast, seconds: float, *names: str) -> None:
    answered(cast.water, after(seconds), fault_active=bool(names), fault_bits=list(names))


# Samples


def test_one_sample_is_no_alarm(cast: Cast) -> None:
    fault(cast, 0, "high_pressure")
    for second in (1, 6, 11):
        reviewed(after(second))
    assert told() == []
    assert Alarm.objects.get().raised_at is None


def test_the_second_sample_makes_the_alarm(cast: Cast) -> None:
    fault(cast, 0, "high_pressure")
    reviewed(after(1))
    fault(cast, 60, "high_pressure")
    assert reviewed(after(61)) == 1
    alarm = the(AlarmKind.FAULT)
    assert (alarm.seen_at, alarm.raised_at) == (NOON, after(61))
    assert (alarm.unit, alarm.severity) == (cast.water, Severity.WARNING)


def test_a_sample_that_is_not_confirmed_leaves_no_trace(cast: Cast) -> None:
    fault(cast, 0, "high_pressure")
    reviewed(after(1))
    fault(cast, 60)
    reviewed(after(61))
    assert not Alarm.objects.exists()


def test_an_alarm_ends_with_the_second_better_sample(cast: Cast) -> None:
    for second in (0, 60):
        fault(cast, second, "high_pressure")
        reviewed(after(second))
    fault(cast, 120)
    for second in (121, 126, 131):
        reviewed(after(second))
    assert told() == ["fault"]
    fault(cast, 180)
    reviewed(after(181))
    assert told() == []
    assert the(AlarmKind.FAULT).cleared_at == after(181)


def test_a_better_sample_between_worse_ones_ends_nothing(cast: Cast) -> None:
    for second, names in enumerate(["x", "x", "", "x", "", "x"]):
        fault(cast, 60 * second, *filter(None, [names]))
        reviewed(after(60 * second))
    assert told() == ["fault"]
    assert Alarm.objects.count() == 1


def test_what_nobody_knows_changes_nothing(cast: Cast) -> None:
    for second in (0, 60):
        fault(cast, second, "high_pressure")
        reviewed(after(second))
    UnitState.objects.update(fault_active=None, answered_at=after(120))
    reviewed(after(121))
    reviewed(after(4000))
    assert told() == ["fault"]


def test_a_review_may_run_again_at_any_time(cast: Cast) -> None:
    for second in (0, 60):
        fault(cast, second, "high_pressure")
        reviewed(after(second))
    before = list(Alarm.objects.values())
    assert [reviewed(after(61)) for _ in range(3)] == [0, 0, 0]
    assert list(Alarm.objects.values()) == before


def test_a_workers_review_leaves_others_units_alone(cast: Cast) -> None:
    other = unit(gateway("dial://OTHER", line_worker="second"), cast.water.model, address=1)
    worker_lives(NOON, "second")
    for second in (0, 60):
        answered(other, after(second), fault_active=True)
        fault(cast, second, "high_pressure")
        reviewed(after(second), "second")
    assert [alarm.unit for alarm in Alarm.objects.open()] == [other]


def test_the_beat_reviews_all_every_minute(cast: Cast) -> None:
    assert settings.CELERY_BEAT_SCHEDULE["review_alarms"]["schedule"] == 60
    now = clock.now()
    for second in (-1, 0):
        worker_lives(now)
        answered(cast.water, now + timedelta(seconds=second), fault_active=True)
        tasks.review_alarms()
    assert told() == ["fault"]


def test_a_check_that_fails_keeps_no_other_from_its_work(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(*_args: object) -> None:
        raise ValueError("a state that nobody thought of")

    first, *others = alarms.CHECKS
    broken = type(first)(first.kind, breaks)  # type: ignore[arg-type]
    monkeypatch.setattr(alarms, "CHECKS", (broken, *others))
    for second in (0, 60):
        fault(cast, second, "high_pressure")
        reviewed(after(second))
    assert told() == ["fault"]
    assert "village_out could not be reviewed" in caplog.text


def test_a_unit_in_trouble_is_asked_more_often_for_a_while(cast: Cast) -> None:
    for second in (0, 60):
        fault(cast, second, "high_pressure")
        reviewed(after(second))
    watch = Watch.objects.get(unit=cast.water)
    assert (watch.why, watch.until) == (Watch.Why.ALARM, after(60) + timedelta(minutes=30))


def test_a_silent_unit_is_not_asked_more_often(cast: Cast) -> None:
    answered(cast.water, NOON)
    missed(cast.water, after(900))
    reviewed(after(1000))
    assert told() == ["unit_silent"]
    assert not Watch.objects.exists()


# One open per kind and subject


def test_two_open_alarms_of_one_kind_and_subject_cannot_be(cast: Cast) -> None:
    fields = {"kind": AlarmKind.FAULT, "severity": "warning", "unit": cast.water}
    fields |= {"seen_at": NOON, "sample_at": NOON}
    old = Alarm.objects.create(**fields, raised_at=NOON)
    with pytest.raises(IntegrityError), transaction.atomic():
        Alarm.objects.create(**fields)
    Alarm.objects.filter(pk=old.pk).update(cleared_at=after(1))
    Alarm.objects.create(**fields)


@pytest.mark.parametrize(
    "changes",
    [
        {"unit": None},
        {"line_worker": "main"},
        {"kind": "other"},
        {"severity": "grave"},
        {"cleared_at": NOON},
        {"acknowledged_at": NOON},
    ],
)
def test_the_database_takes_no_alarm_that_makes_no_sense(
    cast: Cast, changes: dict[str, object]
) -> None:
    fields = {"kind": AlarmKind.FAULT, "severity": "warning", "unit": cast.water}
    with pytest.raises(IntegrityError), transaction.atomic():
        Alarm.objects.create(**fields | {"seen_at": NOON, "sample_at": NOON} | changes)


@pytest.mark.django_db(transaction=True)
def test_reviews_at_the_same_time_raise_one_alarm(transactional_db: None) -> None:
    cast = gather()
    now = clock.now()
    worker_lives(now)
    with clock.at(now):
        answered(cast.water, now, fault_active=True, fault_bits=["high_pressure"])
        alarms.review()
        answered(cast.water, now + timedelta(seconds=1), fault_active=True, fault_bits=["x"])
    start = threading.Barrier(6)

    def run(line_worker: str | None) -> None:
        start.wait(30)
        alarms.review(line_worker)
        connection.close()

    threads = [threading.Thread(target=run, args=(name,)) for name in [None, "main"] * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert Alarm.objects.open().count() == 1
    assert Alarm.objects.count() == 1


# Graver


def test_an_acknowledged_alarm_that_gets_graver_is_a_new_one(cast: Cast) -> None:
    line(cast.water.gateway, True, NOON)
    alarm = Alarm.objects.create(
        kind=AlarmKind.BUDGET,
        severity="info",
        gateway=cast.water.gateway,
        seen_at=NOON,
        sample_at=NOON,
        raised_at=NOON,
    )
    alarm.acknowledge(cast.service_unit, "已知")
    cast.water.gateway.monthly_budget_mb = 30
    cast.water.gateway.save()
    with clock.at(after(60)):
        month = GatewayMonth.current()
    GatewayMonth.objects.create(gateway=cast.water.gateway, month=month, bytes_in=31_000_000)
    reviewed(after(60))
    alarm.refresh_from_db()
    assert alarm.cleared_at == after(60)
    assert Alarm.objects.waiting().get().severity == Severity.WARNING


# Who sees it


def everything(cast: Cast) -> dict[str, Alarm]:
    """One alarm of each subject: the water unit, the air unit, the air unit's line, its village,
    a line worker."""
    subjects: dict[str, dict[str, Any]] = {
        "water": {"unit": cast.water},
        "air": {"unit": cast.air},
        "line": {"gateway": cast.air.gateway},
        "village": {"area": cast.area("时家岭社区")},
        "worker": {"line_worker": "main"},
    }
    return {
        name: Alarm.objects.create(
            kind=AlarmKind.FAULT,
            severity="warning",
            seen_at=NOON,
            sample_at=NOON,
            raised_at=NOON,
            **subject,
        )
        for name, subject in subjects.items()
    }


@pytest.mark.parametrize(
    ("who", "sees"),
    [
        ("district_officer", {"water", "air", "line", "village", "worker"}),
        ("service_unit", {"water", "air", "line", "village", "worker"}),
        ("reader", {"water", "air", "line", "village", "worker"}),
        ("town_officer", {"water", "air", "line", "village"}),
        ("clerk", {"water"}),
        ("outsider", set()),
        ("supplier_member", {"water"}),
        ("rival", {"air", "line"}),
    ],
)
def test_each_sees_the_alarms_of_what_he_sees(cast: Cast, who: str, sees: set[str]) -> None:
    rows = everything(cast)
    seen = set(Alarm.objects.visible_to(getattr(cast, who)))
    assert {name for name, row in rows.items() if row in seen} == sees


def test_an_account_that_is_locked_sees_nothing(cast: Cast) -> None:
    everything(cast)
    for who in (cast.town_officer, cast.rival, cast.district_officer):
        User.objects.filter(pk=who.pk).update(is_active=False)
        assert not Alarm.objects.visible_to(User.objects.get(pk=who.pk)).exists()


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.DISTRICT, True),
        (Role.SERVICE_UNIT, True),
        (Role.ADMINISTRATOR, True),
        (Role.TOWN, True),
        (Role.CLERK, False),
        (Role.SUPPLIER, False),
        (Role.READER, False),
        (Role.INSTALLER, False),
    ],
)
def test_offices_acknowledge_suppliers_and_readers_do_not(
    cast: Cast, role: Role, may: bool
) -> None:
    area = cast.area("钟家庄街道") if role in (Role.TOWN, Role.CLERK) else None
    alarm = everything(cast)["water"]
    assert alarm.may_be_acknowledged_by(user("somebody", role, area)) is may


def test_an_alarm_is_acknowledged_once(cast: Cast) -> None:
    alarm = everything(cast)["water"]
    assert alarm.acknowledge(cast.town_officer, "已派人")
    again = Alarm.objects.get(pk=alarm.pk)
    assert not again.acknowledge(cast.district_officer, "我来")
    assert (again.acknowledged_by, again.note) == (cast.town_officer, "已派人")
    assert not again.may_be_acknowledged_by(cast.district_officer)
