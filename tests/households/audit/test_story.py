"""The history of a household, as its page tells it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from households import clock, sealing
from households.audit import history, story
from households.audit.story import Event
from households.models import (
    Change,
    ChangeKind,
    ChangeSlip,
    FormerNumber,
    Household,
    Role,
    StepKind,
)
from tests import cast as make
from tests.cast import Cast


def told(home: Household) -> list[Event]:
    return story.story(home)[0]


def words(event: Event) -> list[str]:
    return [f"{part.kind} {part.record}：{part.words}" for part in event.parts]


@pytest.fixture
def home(cast: Cast) -> Household:
    return Household.objects.get(pk=cast.water_household.pk)


def change(home: Household, by: Any, reason: str = "", **values: Any) -> None:
    for name, value in values.items():
        setattr(home, name, value)
    with history.acting(by), history.because(reason):
        home.save()


def test_a_change_is_told_field_by_field_in_the_words_of_the_form(
    cast: Cast, home: Household
) -> None:
    change(home, cast.clerk, "现场核对", heated_area="92.5", vacant=True, site_kind="school")
    event = told(home)[0]
    assert (event.who, event.reason, event.outside) == ("洞头村 洞头测试员", "现场核对", False)
    assert words(event) == ["修改 改造户：类别 居民住户 → 学校；取暖面积 86.0 → 92.5；空置 否 → 是"]


def test_phones_are_told_masked(cast: Cast, home: Household) -> None:
    change(home, cast.clerk, phone="13812345678", other_phone="03562021234")
    assert words(told(home)[0]) == [
        "修改 改造户：联系电话 130****0000 → 138****5678；备用电话 — → 035****1234"
    ]


def test_a_number_sealed_anew_is_no_change_to_tell(cast: Cast, home: Household) -> None:
    before = told(home)
    count = Change.objects.count()
    anew = sealing.seal(home.phone, "households.household", "phone", home.uid)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE households_household SET phone = %s WHERE id = %s", [anew, home.pk])
    assert Change.objects.count() == count + 1
    assert told(home) == before


def test_places_and_people_are_told_by_name(cast: Cast, home: Household) -> None:
    change(home, cast.clerk, area=cast.area("时家岭社区"))
    assert words(told(home)[0]) == ["修改 改造户：村（社区） 洞头村 → 时家岭社区"]


def test_a_slip_is_told_in_words_and_without_what_only_programs_read(cast: Cast) -> None:
    reason = ChangeSlip.Why.CONVERTED
    slip = {"kind": "vacant", "reason": reason.value, "updated_at": "2026-11-24T01:25:00+08:00"}
    change = Change(
        at=clock.now(), kind=ChangeKind.INSERT, table="households_changeslip", after=slip
    )
    words = story.told([change])[0].parts[0].words
    assert words == f"变更事项 空置；原因 {reason.label}"


def test_sql_from_outside_is_told_as_such(home: Household) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE households_household SET accepted_on = '2026-11-01' WHERE id = %s", [home.pk]
        )
    event = told(home)[0]
    assert event.outside and event.who.startswith("平台之外：")
    assert words(event) == ["修改 改造户：竣工验收 — → 2026-11-01"]


def test_a_step_is_told_once_and_not_by_the_households_columns_again(
    cast: Cast, home: Household
) -> None:
    with history.acting(cast.clerk):
        make.reach(home, StepKind.SURVEYED, cast.clerk)
    (part,) = told(home)[0].parts
    assert (part.kind, part.record) == ("新增", "步骤")
    assert "摸底登记" in part.words


def test_a_steps_column_changed_alone_is_told(cast: Cast, home: Household) -> None:
    with history.acting(cast.clerk):
        Household.objects.filter(pk=home.pk).update(accepted_on=make.INSTALLED_ON)
    assert words(told(home)[0]) == ["修改 改造户：竣工验收 — → 2026-10-20"]


def test_the_story_goes_on_page_by_page(cast: Cast, home: Household) -> None:
    for n in range(story.A_PAGE + 5):
        change(home, cast.clerk, door=f"示范巷 {n} 号")
    first, more = story.story(home)
    assert len(first) == story.A_PAGE and more
    rest, end = story.story(home, more)
    assert end is None
    assert words(rest[0]) == ["修改 改造户：门牌号 示范巷 3 号 → 示范巷 4 号"]


def test_what_became_of_a_merged_household_is_told_too(cast: Cast, home: Household) -> None:
    other = make.household(home.area, number="26-12-0005", door="旧门牌")
    FormerNumber.objects.create(
        number=other.number,
        uid=other.uid,
        household=home,
        merged_by=cast.clerk,
        merged_at=make.SERVICE_BEGAN,
    )
    other.delete()
    assert any("旧门牌" in line for event in told(home) for line in words(event))


def test_a_deleted_account_is_still_told_of(cast: Cast, home: Household) -> None:
    gone = make.user("kurz", Role.READER)
    change(home, gone, door="x")
    pk = gone.pk
    gone.delete()
    assert told(home)[0].who == f"账号 {pk}（已删除）"


def test_every_tracked_table_has_a_name(cast: Cast) -> None:
    tables = set(Change.objects.values_list("table", flat=True))
    assert tables and all(story.record_label(table) != table for table in tables)


def test_every_column_that_is_told_is_called_as_people_call_it(cast: Cast) -> None:
    rows = Change.objects.values_list("table", "after").distinct()
    told = {(table, column) for table, after in rows for column in after or {}}
    tables = story._models()
    names = {
        (table, column): story._label(column, story._field(tables[table], column))
        for table, column in told
        if column not in story.HIDDEN
    }
    ours = re.compile("[\u4e00-\u9fff]|IMEI|ICCID")
    assert names and [at for at, name in names.items() if not ours.search(name)] == []


# -- the part of the page ------------------------------------------------------------------


def test_the_household_page_asks_for_its_story(cast: Cast, home: Household, client: Client) -> None:
    client.force_login(cast.clerk)
    page = client.get(f"/households/{home.number}/").content.decode()
    assert f'hx-get="/households/{home.number}/story/"' in page
    change(home, cast.clerk, "现场核对", door="示范巷 7 号")
    part = client.get(f"/households/{home.number}/story/").content.decode()
    assert "门牌号 测试路 1 号 → 示范巷 7 号" in part and "现场核对" in part


def test_older_changes_follow_on_demand(cast: Cast, home: Household, client: Client) -> None:
    for n in range(story.A_PAGE + 5):
        change(home, cast.clerk, door=f"示范巷 {n} 号")
    client.force_login(cast.clerk)
    url = f"/households/{home.number}/story/"
    _events, more = story.story(home)
    assert f"?before={more}" in client.get(url).content.decode()
    rest = client.get(f"{url}?before={more}").content.decode()
    assert rest.lstrip().startswith("<tr>") and "示范巷 4 号" in rest
    assert client.get(f"{url}?before=x").status_code == 200


@pytest.mark.parametrize(
    ("who", "code"),
    [("clerk", 200), ("town_officer", 200), ("reader", 200), ("outsider", 404), ("rival", 404)],
)
def test_whoever_sees_the_household_reads_its_story(
    cast: Cast, home: Household, client: Client, who: str, code: int
) -> None:
    client.force_login(getattr(cast, who))
    assert client.get(f"/households/{home.number}/story/").status_code == code


def test_a_supplier_reads_no_story(cast: Cast, home: Household, client: Client) -> None:
    company = cast.water.model.supplier
    make.assign(home, company, cast.town_officer)
    client.force_login(cast.supplier_member)
    assert client.get(f"/households/{home.number}/").status_code == 200
    assert client.get(f"/households/{home.number}/story/").status_code == 403
