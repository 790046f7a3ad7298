"""Each side is told what comes next of an application, in every state."""

from __future__ import annotations

import pytest

from devices.docking import turn
from devices.models import DockingState as S
from tests.cast import Cast
from tests.devices.docking import scene


@pytest.mark.parametrize("state", [S.SUBMITTED, S.RECEIVED, S.TESTING, S.PASSED, S.FAILED])
def test_a_maker_hears_in_every_state_what_to_do_or_for_whom_it_waits(
    cast: Cast, state: str
) -> None:
    one = scene.brought(cast, state)
    assert turn.said(cast.supplier_member, one)
    assert turn.said(cast.reader, one) == ""


def test_before_it_is_sent_the_form_says_what_is_missing(cast: Cast) -> None:
    assert turn.said(cast.supplier_member, scene.draft(cast)) == ""


def test_who_tests_is_led_to_the_sample_and_then_to_the_test(cast: Cast) -> None:
    one = scene.brought(cast, S.RECEIVED)
    assert "先接入样机" in turn.said(cast.tester, one)
    one.sample = cast.water
    assert "可以开始测试" in turn.said(cast.tester, one)
