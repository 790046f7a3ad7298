"""Papers and confirmations that end are announced 30 and 7 days ahead, once each."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from devices import tasks
from devices.makers import expiry
from devices.models import Confirmation, ConfirmationState, MakerPaper
from households import clock
from households.models import Notification
from tests.cast import Cast
from tests.devices.maker_cases import PAPER

END = date(2027, 10, 31)


def on(days_before: int) -> Any:
    """The clock so many days before the end, at nine in the morning."""
    day = END - timedelta(days=days_before)
    return clock.at(datetime(day.year, day.month, day.day, 9, tzinfo=clock.SHANGHAI))


def paper(cast: Cast, kind: str = "insurance", **changes: Any) -> MakerPaper:
    fields = {"valid_until": END, "number": "BX-1", "model": cast.water.model} | changes
    return MakerPaper.objects.create(
        supplier=cast.water.model.supplier,
        kind=kind,
        added_by=cast.supplier_member,
        **PAPER | fields,
    )


@pytest.fixture
def insured(cast: Cast) -> MakerPaper:
    """The only insurance of 晨暖's model."""
    cast.water.model.papers.filter(kind="insurance").delete()
    return paper(cast)


def told(cast: Cast) -> list[str]:
    return list(
        Notification.objects.visible_to(cast.supplier_member).values_list("text", flat=True)
    )


def test_the_scheduler_asks_for_it_every_hour(
    cast: Cast, insured: MakerPaper, settings: Any
) -> None:
    assert settings.CELERY_BEAT_SCHEDULE["announce_endings"]["schedule"] == 3600
    with on(30):
        tasks.announce_endings()
    assert len(told(cast)) == 1


def test_nothing_is_said_31_days_ahead(cast: Cast, insured: MakerPaper) -> None:
    with on(31):
        assert expiry.announce() == 0
    assert told(cast) == []


def test_the_maker_and_the_service_unit_hear_of_it_and_nobody_else(
    cast: Cast, insured: MakerPaper
) -> None:
    with on(30):
        assert expiry.announce() == 1
    readers = set(Notification.objects.values_list("to__username", flat=True))
    assert readers == {
        cast.supplier_member.username,
        cast.service_unit.username,
        cast.tester.username,
    }
    assert told(cast) == [
        "晨暖（虚构）：CN-W10 产品保险单 BX-1 还有 30 天到期（2027-10-31），请尽早更新"
    ]


def test_it_is_said_30_and_7_days_ahead_and_once_each(cast: Cast, insured: MakerPaper) -> None:
    for day in (30, 29, 8, 7, 6, 0):
        for _ in range(2):
            with on(day):
                expiry.announce()
    assert ["30 天" in text for text in told(cast)] == [False, True]
    assert ["7 天" in text for text in told(cast)] == [True, False]


def test_what_a_stopped_platform_missed_is_said_when_it_is_back(
    cast: Cast, insured: MakerPaper
) -> None:
    with on(5):
        assert expiry.announce() == 1
    assert "还有 5 天" in told(cast)[0]


def test_the_last_day_is_called_today(cast: Cast, insured: MakerPaper) -> None:
    with on(0):
        expiry.announce()
    assert told(cast) == ["晨暖（虚构）：CN-W10 产品保险单 BX-1 今天到期，请上传新的"]


def test_what_has_ended_is_not_announced_but_stands_on_the_list(
    cast: Cast, insured: MakerPaper
) -> None:
    with on(-3):
        assert expiry.announce() == 0
        assert [ending.left for ending in expiry.endings(30, of=insured.supplier)] == [-3]


@pytest.mark.parametrize("since", [None, END, END + timedelta(days=1)])
def test_a_newer_paper_that_follows_on_silences_it(
    cast: Cast, insured: MakerPaper, since: date | None
) -> None:
    paper(cast, valid_from=since, valid_until=END + timedelta(days=365))
    with on(7):
        assert expiry.announce() == 0


def test_a_newer_paper_after_a_gap_does_not(cast: Cast, insured: MakerPaper) -> None:
    paper(cast, valid_from=END + timedelta(days=2), valid_until=END + timedelta(days=365))
    with on(7):
        assert expiry.announce() == 1


def test_a_paper_of_another_model_or_kind_does_not(cast: Cast, insured: MakerPaper) -> None:
    paper(cast, kind="certificate", valid_until=END + timedelta(days=365))
    paper(cast, kind="other", model=None, valid_until=END + timedelta(days=365))
    with on(7):
        assert expiry.announce() == 1


def test_a_withdrawn_paper_is_forgotten(cast: Cast, insured: MakerPaper) -> None:
    MakerPaper.objects.filter(pk=insured.pk).update(
        withdrawn_at=clock.now(), withdrawn_why="传错了"
    )
    with on(7):
        assert expiry.announce() == 0


def test_the_licence_of_the_company_leads_to_the_company(cast: Cast) -> None:
    licence = paper(cast, kind="licence", model=None)
    with on(7):
        expiry.announce()
    assert Notification.objects.filter(path=f"/makers/{licence.supplier_id}/").exists()


def test_confirmations_are_announced_like_papers(cast: Cast) -> None:
    Confirmation.objects.filter(model=cast.water.model).update(valid_until=END)
    with on(30):
        assert expiry.announce() == 1
        assert expiry.announce() == 0
    assert "数据对接确认书" in told(cast)[0]


@pytest.mark.parametrize("state", [ConfirmationState.REVOKED, ConfirmationState.SUPERSEDED])
def test_a_confirmation_that_is_of_no_use_any_more_is_not(
    cast: Cast, state: ConfirmationState
) -> None:
    Confirmation.objects.filter(model=cast.water.model).update(valid_until=END, state=state)
    with on(30):
        assert expiry.announce() == 0


def test_where_the_citys_platform_is_appointed_only_its_confirmations_count(
    cast: Cast, settings: Any
) -> None:
    settings.APPOINTED_PLATFORM = False
    Confirmation.objects.filter(model=cast.water.model).update(valid_until=END)
    with on(30):
        assert expiry.announce() == 0
