import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from households.entry.editing import Opened
from households.models import Household, Method, Step, StepKind, User
from tests import cast as make
from tests.cast import Cast


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def typed(cast: Cast, **changes: Any) -> dict[str, Any]:
    """What a clerk types into the short form."""
    fields = {
        "uid": str(uuid.uuid4()),
        "area": cast.area("洞头村").pk,
        "householder": "卫示丑",
        "phone": "13000000007",
        "door": "示范巷 7 号",
        "method": Method.COAL_TO_ELECTRICITY,
        "site_kind": "household",
        "submit": "1",
    }
    fields.update(changes)
    return {name: value for name, value in fields.items() if value is not None}


def opened(home: Household) -> str:
    home.refresh_from_db()
    return Opened.of(home).signed


def as_stored(home: Household, **changes: Any) -> dict[str, Any]:
    """What the page of a stored household sends back where only `changes` were typed."""
    home.refresh_from_db()
    fields: dict[str, Any] = {
        name: getattr(home, name)
        for name in ("householder", "door", "place", "method", "site_kind", "note", "house_type")
    }
    fields |= {
        "uid": str(home.uid),
        "area": home.area_id,
        "phone": home.masked_phone,
        "heated_area": home.heated_area,
        "electricity_account": home.electricity_account,
        "opened": opened(home),
        "reason": "typing",
        "submit": "1",
    }
    fields.update(changes)
    return {name: value for name, value in fields.items() if value is not None}


def newest() -> Household:
    return Household.objects.latest("pk")


@pytest.fixture
def clerk(cast: Cast) -> Client:
    return as_(cast.clerk)


def test_a_clerk_registers_a_household_with_five_values(cast: Cast, clerk: Client) -> None:
    answer = clerk.post("/households/new/", typed(cast))
    home = newest()
    assert answer.headers["Location"] == f"/households/{home.number}/"
    assert (home.householder, home.phone, home.area) == (
        "卫示丑",
        "13000000007",
        cast.area("洞头村"),
    )
    assert home.surveyed_on is not None
    assert home.state == "to_list"


def test_the_same_page_sent_twice_is_one_record(cast: Cast, clerk: Client) -> None:
    page = typed(cast)
    first = clerk.post("/households/new/", page)
    second = clerk.post("/households/new/", page)
    assert first.headers["Location"] == second.headers["Location"]
    assert Household.objects.filter(uid=page["uid"]).count() == 1
    assert Step.objects.filter(household=newest()).count() == 1


def test_what_was_typed_before_the_second_sending_is_not_lost(cast: Cast, clerk: Client) -> None:
    page = typed(cast)
    clerk.post("/households/new/", page)
    answer = clerk.post("/households/new/", page | {"door": "示范巷 8 号"})
    assert "示范巷 8 号" in answer.content.decode()
    assert newest().door == "示范巷 7 号"


def test_a_draft_keeps_whatever_is_there(cast: Cast, clerk: Client) -> None:
    page = typed(cast, householder="", door="", phone="1300000", submit=None, draft="1")
    clerk.post("/households/new/", page)
    home = newest()
    assert (home.phone, home.state) == ("1300000", "draft")
    shown = clerk.get(f"/households/{home.number}/edit/").content.decode()
    assert "户主" in shown and "现在是 7 位" in shown


def test_submitting_says_what_is_still_needed_and_keeps_the_rest(cast: Cast, clerk: Client) -> None:
    answer = clerk.post("/households/new/", typed(cast, door=""), follow=True)
    home = newest()
    assert home.surveyed_on is None
    assert answer.request["PATH_INFO"] == f"/households/{home.number}/edit/"
    assert "没有门牌的写位置" in answer.content.decode()


def test_a_draft_is_submitted_later(cast: Cast, clerk: Client) -> None:
    clerk.post("/households/new/", typed(cast, door="", submit=None, draft="1"))
    home = newest()
    clerk.post(f"/households/{home.number}/edit/", as_stored(home, place="庙东第三户", reason=None))
    home.refresh_from_db()
    assert (home.place, home.state) == ("庙东第三户", "to_list")


def test_an_identity_number_is_never_kept_not_even_in_a_draft(cast: Cast, clerk: Client) -> None:
    body = "00000019900101003"
    weights = [2 ** (17 - n) % 11 for n in range(17)]
    total = sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True))
    page = typed(cast, note=f"证 {body}{'10X98765432'[total % 11]}", draft="1")
    assert "平台不保存身份证号" in clerk.post("/households/new/", page).content.decode()
    assert not Household.objects.filter(uid=page["uid"]).exists()


def test_a_wrong_phone_is_told_at_its_field(cast: Cast, clerk: Client) -> None:
    answer = clerk.post("/households/new/", typed(cast, phone="1300000")).content.decode()
    assert "现在是 7 位" in answer
    assert 'value="1300000"' in answer


def test_a_phone_lies_masked_in_the_page_and_unchanged_stays(cast: Cast, clerk: Client) -> None:
    home = cast.water_household
    page = clerk.get(f"/households/{home.number}/edit/").content.decode()
    assert home.phone not in page and home.masked_phone in page
    clerk.post(f"/households/{home.number}/edit/", as_stored(home, note="换锁"))
    home.refresh_from_db()
    assert (home.phone, home.note) == ("13000000000", "换锁")


def test_half_a_masked_phone_is_a_mistake(cast: Cast, clerk: Client) -> None:
    home = cast.water_household
    page = as_stored(home, phone="130****1111")
    assert "遮住" in clerk.post(f"/households/{home.number}/edit/", page).content.decode()


def test_a_correction_of_what_was_submitted_wants_its_reason(cast: Cast, clerk: Client) -> None:
    home = make.reach(cast.water_household, StepKind.SURVEYED, cast.clerk)
    page = as_stored(home, heated_area="92", reason=None)
    assert "选原因" in clerk.post(f"/households/{home.number}/edit/", page).content.decode()
    home.refresh_from_db()
    assert home.heated_area == 86
    clerk.post(f"/households/{home.number}/edit/", page | {"reason": "measured"})
    home.refresh_from_db()
    assert home.heated_area == 92


def test_a_position_of_amap_is_stored_converted_with_its_source(cast: Cast, clerk: Client) -> None:
    page = typed(cast, latitude="35.4917", longitude="112°51′", position_source="amap")
    clerk.post("/households/new/", page)
    home = newest()
    assert home.position_source == "amap"
    assert home.longitude == pytest.approx(112.8440, abs=0.0005)
    shown = clerk.get(f"/households/{home.number}/edit/")
    same = shown.context["form"]
    page = as_stored(
        home,
        latitude=same["latitude"].value(),
        longitude=same["longitude"].value(),
        position_source="amap",
    )
    before = (home.latitude, home.longitude)
    clerk.post(f"/households/{home.number}/edit/", page)
    home.refresh_from_db()
    assert (home.latitude, home.longitude) == before


def test_a_position_outside_the_district_is_refused(cast: Cast, clerk: Client) -> None:
    page = typed(cast, latitude="112.85", longitude="35.49", position_source="rtk")
    assert "填反" in clerk.post("/households/new/", page).content.decode()
    assert not Household.objects.filter(uid=page["uid"]).exists()


def test_two_officers_keep_what_each_of_them_changed(cast: Cast, clerk: Client) -> None:
    home = cast.water_household
    page = as_stored(home, note="院内有狗")
    Household.objects.filter(pk=home.pk).update(house_type="二层楼房")
    clerk.post(f"/households/{home.number}/edit/", page)
    home.refresh_from_db()
    assert (home.note, home.house_type) == ("院内有狗", "二层楼房")


def test_what_shows_less_than_is_stored_is_untouched_where_it_came_back_as_shown(
    cast: Cast, clerk: Client
) -> None:
    """A mask, and shifted degrees with six decimals: the other officer's new ones stay."""
    home = cast.water_household
    first = {"latitude": 35.4912345678, "longitude": 112.8567891234, "position_source": "amap"}
    Household.objects.filter(pk=home.pk).update(**first)
    page = as_stored(home, note="院内有狗")
    page |= {"latitude": "35.491235", "longitude": "112.856789", "position_source": "amap"}
    home.phone, home.latitude, home.longitude = "13000000009", 35.5012345678, 112.8667891234
    home.position_source, home.accuracy_m = "rtk", 3.0
    home.save()
    clerk.post(
        f"/households/{home.number}/edit/", page | {"householder": ""}
    )  # told and shown again
    assert clerk.post(f"/households/{home.number}/edit/", page).status_code == 302
    told = Household.objects.get(pk=home.pk)
    assert (told.note, told.phone, told.accuracy_m) == ("院内有狗", "13000000009", 3.0)
    assert (told.latitude, told.position_source) == (35.5012345678, "rtk")


def test_what_both_changed_is_asked_back_with_all_three_values(cast: Cast, clerk: Client) -> None:
    home = cast.water_household
    page = as_stored(home, door="测试路 3 号", note="院内有狗")
    Household.objects.filter(pk=home.pk).update(door="测试路 2 号", house_type="二层楼房")
    answer = clerk.post(f"/households/{home.number}/edit/", page)
    shown = answer.content.decode()
    for words in ("测试路 1 号", "测试路 2 号", "测试路 3 号", "二层楼房", "院内有狗"):
        assert words in shown
    home.refresh_from_db()
    assert (home.door, home.note) == ("测试路 2 号", "")
    again = page | {"opened": answer.context["opened"], "house_type": "二层楼房"}
    assert "两人都改了" in clerk.post(f"/households/{home.number}/edit/", again).content.decode()
    clerk.post(f"/households/{home.number}/edit/", again | {"whose_door": "mine"})
    home.refresh_from_db()
    assert (home.door, home.note, home.house_type) == ("测试路 3 号", "院内有狗", "二层楼房")


def test_the_other_s_value_can_be_kept(cast: Cast, clerk: Client) -> None:
    home = cast.water_household
    page = as_stored(home, door="测试路 3 号", note="院内有狗")
    Household.objects.filter(pk=home.pk).update(door="测试路 2 号")
    answer = clerk.post(f"/households/{home.number}/edit/", page)
    again = page | {"opened": answer.context["opened"], "whose_door": "theirs"}
    clerk.post(f"/households/{home.number}/edit/", again)
    home.refresh_from_db()
    assert (home.door, home.note) == ("测试路 2 号", "院内有狗")


def test_a_household_that_looks_like_another_is_asked_about(cast: Cast, clerk: Client) -> None:
    home = cast.water_household
    page = typed(cast, householder=home.householder, door="测试路1号")
    answer = clerk.post("/households/new/", page).content.decode()
    assert home.number in answer and "还没有保存：可能已经登记过" in answer
    assert not Household.objects.filter(uid=page["uid"]).exists()
    clerk.post("/households/new/", page | {"not_same": "1"})
    assert Household.objects.filter(uid=page["uid"]).exists()


def test_likeness_is_told_while_one_types(cast: Cast, clerk: Client) -> None:
    home = cast.water_household
    page = typed(cast, householder=home.householder, door="测试路 １ 号")
    assert home.number in clerk.post("/households/alike/", page).content.decode()
    assert (
        home.number not in clerk.post("/households/alike/", page | {"door": "2"}).content.decode()
    )


def test_a_household_of_others_is_not_named_by_its_account(cast: Cast) -> None:
    home = cast.water_household
    home.electricity_account = "0000000043"
    home.save()
    page = typed(cast, area=cast.area("南村村").pk, electricity_account="0000000043")
    shown = as_(cast.outsider).post("/households/new/", page).content.decode()
    assert "不在您的范围内" in shown and home.number not in shown and home.householder not in shown


def test_nobody_learns_by_asking_for_likeness_who_lives_in_a_foreign_village(cast: Cast) -> None:
    page = typed(cast, householder=cast.water_household.householder, door="测试路 1 号")
    assert "可能已经登记过" in as_(cast.clerk).post("/households/alike/", page).content.decode()
    shown = as_(cast.outsider).post("/households/alike/", page).content.decode()
    assert "可能已经登记过" not in shown


def test_the_pages_are_open_to_those_who_register_there(cast: Cast) -> None:
    address = f"/households/{cast.water_household.number}/edit/"
    for user in (cast.clerk, cast.town_officer, cast.district_officer):
        assert as_(user).get(address).status_code == 200
        assert as_(user).get("/households/new/").status_code == 200
    for user in (cast.reader, cast.service_unit):
        assert as_(user).get(address).status_code == 403
        assert as_(user).get("/households/new/").status_code == 403
    assert as_(cast.outsider).get(address).status_code == 404
    assert Client().get(address).headers["Location"].startswith("/sign-in/")
    assert Client().get("/households/new/").status_code == 302


def test_a_clerk_registers_in_the_own_village_alone(cast: Cast, clerk: Client) -> None:
    page = typed(cast, area=cast.area("时家岭社区").pk)
    clerk.post("/households/new/", page)
    assert not Household.objects.filter(uid=page["uid"]).exists()


def test_another_s_uid_opens_nothing(cast: Cast) -> None:
    page = typed(cast, uid=str(cast.water_household.uid), area=cast.area("南村村").pk)
    assert as_(cast.outsider).post("/households/new/", page).status_code == 404


def test_a_withdrawn_household_is_not_corrected(cast: Cast, clerk: Client) -> None:
    home = cast.water_household
    Household.objects.filter(pk=home.pk).update(withdrawn_on=make.INSTALLED_ON)
    clerk.post(f"/households/{home.number}/edit/", as_stored(home, note="x"))
    home.refresh_from_db()
    assert home.note == ""


def test_a_house_taken_off_the_demolition_plan_has_no_day_either(cast: Cast, clerk: Client) -> None:
    home = cast.water_household
    page = as_stored(home, demolition_on="2027-05-01")
    clerk.post(f"/households/{home.number}/edit/", page)
    home.refresh_from_db()
    assert home.in_demolition_plan
    clerk.post(f"/households/{home.number}/edit/", as_stored(home, demolition_on="2027-05-01"))
    home.refresh_from_db()
    assert (home.in_demolition_plan, home.demolition_on) == (False, None)


def test_what_a_filed_list_holds_is_changed_by_slip_alone(cast: Cast, clerk: Client) -> None:
    home = make.reach(cast.water_household, StepKind.LISTED, cast.clerk)
    shown = clerk.get(f"/households/{home.number}/edit/").content.decode()
    assert "变更单" in shown
    page = as_stored(home, householder="别人", note="换锁")
    clerk.post(f"/households/{home.number}/edit/", page)
    home.refresh_from_db()
    assert (home.householder, home.note) == ("测试户甲", "换锁")


def test_reminders_stand_beside_what_is_missing(cast: Cast, clerk: Client) -> None:
    home = cast.water_household
    Household.objects.filter(pk=home.pk).update(in_network_area=True)
    for page in (f"/households/{home.number}/", f"/households/{home.number}/edit/"):
        assert "优先集中供热" in clerk.get(page).content.decode()


def test_a_number_that_opens_no_more_hinders_no_correction(cast: Cast, clerk: Client) -> None:
    home = cast.water_household
    page = as_stored(home, phone="", note="换锁")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE households_household SET phone = split_part(phone, ':', 1) || ':AAAA:' || "
            "split_part(phone, ':', 3) WHERE id = %s RETURNING phone",
            [home.pk],
        )
        broken = cursor.fetchone()
        page["opened"] = Opened.of(Household.objects.get(pk=home.pk)).signed
        clerk.post(f"/households/{home.number}/edit/", page)
        cursor.execute("SELECT phone, note FROM households_household WHERE id = %s", [home.pk])
        assert cursor.fetchone() == (*broken, "换锁")


def test_what_was_locked_meanwhile_is_told(cast: Cast, clerk: Client) -> None:
    home = cast.water_household
    page = as_stored(home, householder="别人", note="换锁")
    make.reach(home, StepKind.LISTED, cast.clerk)
    answer = clerk.post(f"/households/{home.number}/edit/", page, follow=True).content.decode()
    assert "“户主”只能用变更单" in answer
    home.refresh_from_db()
    assert (home.householder, home.note) == ("测试户甲", "换锁")
