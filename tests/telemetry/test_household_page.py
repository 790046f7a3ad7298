"""A household's page: its path, what comes next, its unit."""

from __future__ import annotations

import pytest
from django.test import Client

from households import clock
from households.models import Household, Step, StepKind
from tests.cast import INSTALLED_ON, SERVICE_BEGAN, Cast, answered, reach


@pytest.fixture
def officer(cast: Cast, client: Client) -> Client:
    client.force_login(cast.town_officer)
    return client


def page(client: Client, home: Household) -> str:
    return client.get(f"/households/{home.number}/").content.decode()


def test_the_path_tells_what_was_done_and_what_comes_next(cast: Cast, officer: Client) -> None:
    reach(cast.water_household, StepKind.INSTALLED, cast.district_officer)
    text = page(officer, cast.water_household)
    assert text.count('<li class="done">') == 4
    assert "下一步：调试合格" in text.replace("</b>", "").replace("<b>", "")
    assert "由安装人员办理" in text


def test_a_step_that_lacks_papers_breaks_the_path_and_names_them(
    cast: Cast, officer: Client
) -> None:
    home = reach(cast.water_household, StepKind.SIGNED, cast.district_officer)
    Step.objects.create(
        household=home,
        kind=StepKind.INSTALLED,
        on=INSTALLED_ON,
        lacks=["缺监理签字件"],
        recorded_by=cast.town_officer,
        recorded_at=SERVICE_BEGAN,
    )
    text = page(officer, home)
    assert '<li class="lack">' in text
    assert "缺监理签字件" in text
    assert "补齐前不计入完工" in text


def test_papers_that_are_lacking_are_named_where_one_looks_first(
    cast: Cast, officer: Client
) -> None:
    home = reach(cast.water_household, StepKind.SURVEYED, cast.clerk)
    text = page(officer, home)
    assert "卷内还缺 1 份材料" in text and '<option value="survey_form" selected>' in text


def test_who_waits_for_the_plan_is_led_to_the_village_s_list(cast: Cast, officer: Client) -> None:
    home = reach(cast.water_household, StepKind.SURVEYED, cast.clerk)
    address = f"/lists/{home.year}/{home.area_id}/"
    this_year = home.year >= clock.today().year
    assert (address in page(officer, home)) == this_year


def test_a_withdrawn_household_asks_for_nothing_more(cast: Cast, officer: Client) -> None:
    home = reach(cast.water_household, StepKind.LISTED, cast.district_officer)
    Household.objects.filter(pk=home.pk).update(withdrawn_on=clock.today())
    text = page(officer, home)
    assert "退出改造" in text
    assert "下一步" not in text


def test_its_unit_stands_with_newest_values_and_a_way_to_it(cast: Cast, officer: Client) -> None:
    answered(cast.water, clock.now(), supply_temp=41.8, return_temp=37.9)
    text = page(officer, cast.water_household)
    assert "41.8 °C" in " ".join(text.split())
    assert f"/units/{cast.water.pk}/" in text
    assert "CN26100001" in text


def test_the_confirmation_stands_beside_the_unit_or_is_said_to_miss(
    cast: Cast, officer: Client
) -> None:
    def page() -> str:
        return officer.get(f"/households/{cast.water_household.number}/").content.decode()

    number = cast.water.model.confirmations.get().number
    assert number in page()
    cast.water.model.confirmations.update(state="revoked")
    assert number not in page()
    assert '<dt>数据对接确认书</dt><dd><span class="st st-warn">没有</span></dd>' in page()


def test_the_phone_is_masked_until_asked_for(cast: Cast, officer: Client) -> None:
    text = page(officer, cast.water_household)
    assert "130****0000" in text
    assert "13000000000" not in text
