"""Pages of villages' lists: who sees and does what, and what a refused act says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from households import clock
from households.models import Household, ListState, User, VillageList
from households.village_lists import objections, village_list
from tests import cast as make
from tests.cast import Cast
from tests.households import list_scene
from tests.households.list_scene import after_notice, photo
from tests.plans.slip_scene import plan_of


@pytest.fixture(autouse=True)
def june() -> Iterator[None]:
    with clock.at(list_scene.JUNE):
        yield


@pytest.fixture
def homes(cast: Cast) -> list[Household]:
    return list_scene.waiting(cast.area("泽州东社区"), by=cast.town_officer)


@pytest.fixture
def page(cast: Cast, homes: list[Household]) -> str:
    return f"/lists/2026/{cast.area('泽州东社区').pk}/"


def act(client: Client, page: str, name: str, **fields: Any) -> Any:
    return client.post(f"{page}act/", {"act": name, **fields})


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_everybody_sees_the_lists_of_his_own_reach(cast: Cast, client: Client, page: str) -> None:
    colleague = make.user("dongjie", "clerk", cast.area("时家岭社区"))  # type: ignore[arg-type]
    for who, code in (
        (cast.town_officer, 200),
        (cast.district_officer, 200),
        (cast.reader, 200),
        (colleague, 404),
        (cast.outsider, 404),
        (cast.rival, 404),
    ):
        client.force_login(who)
        assert client.get(page).status_code == code, who
        listed = text(client.get("/lists/?year=2026"))
        assert ("泽州东社区" in listed) == (code == 200), who
    client.logout()
    assert client.get(page).status_code == 302
    assert act(client, page, "verify").status_code == 302


def test_a_foreign_list_can_be_asked_nothing(cast: Cast, client: Client, page: str) -> None:
    client.force_login(cast.outsider)
    assert act(client, page, "verify").status_code == 404
    for rest in ("objection/", "remark/", "paper/"):
        assert client.post(page + rest).status_code == 404
    assert not VillageList.objects.exists()


@pytest.mark.parametrize("name", ["verify", "notice", "review", "file", "nonsense", ""])
def test_who_only_reads_does_nothing(cast: Cast, client: Client, page: str, name: str) -> None:
    client.force_login(cast.reader)
    assert act(client, page, name).status_code == 403
    assert client.post("/lists/file/").status_code == 403


def test_an_act_out_of_its_turn_is_refused_in_words(cast: Cast, client: Client, page: str) -> None:
    client.force_login(cast.town_officer)
    answer = act(client, page, "review")
    assert answer.status_code == 422
    assert "名单还没有核实" in text(answer)
    act(client, page, "verify")
    answer = act(client, page, "review")
    assert answer.status_code == 422
    assert "名单现在是“待公示”" in text(answer)


def test_a_list_walks_through_its_pages(cast: Cast, client: Client, page: str) -> None:
    client.force_login(cast.town_officer)
    assert "村（社区）核实无误" in text(client.get(page))
    assert act(client, page, "verify").status_code == 302
    days = {"begin": "2026-06-01", "end": "2026-06-07"}
    assert act(client, page, "notice", photo=photo(), **days).status_code == 302
    assert "公示到 2026-06-07 才结束" in text(client.get(page))
    with clock.at(after_notice()):
        client.logout()  # a session does not last a week
        client.force_login(cast.town_officer)
        assert act(client, page, "submit").status_code == 302
        assert act(client, page, "review").status_code == 302
        client.force_login(cast.district_officer)
        listing = VillageList.objects.get()
        assert str(listing.uid) in text(client.get("/lists/?year=2026&state=reviewed"))
        answer = client.post("/lists/file/?year=2026", {"uid": [listing.uid]}, follow=True)
    assert "已备案 1 份名单，3 户列入计划" in text(answer)
    assert Household.objects.exclude(listed_on=None).count() == 3


def test_a_wrong_notice_is_said_at_the_form_and_keeps_what_was_typed(
    cast: Cast, client: Client, page: str
) -> None:
    client.force_login(cast.town_officer)
    act(client, page, "verify")
    answer = act(client, page, "notice", begin="2026-06-01", end="2026-06-03")
    assert answer.status_code == 422
    assert "不少于 7 天" in text(answer)
    assert 'value="2026-06-03"' in text(answer)
    assert "公示开始" in text(act(client, page, "notice", begin="gestern", end=""))


def test_what_hinders_a_list_is_named_with_its_household(
    cast: Cast, client: Client, page: str
) -> None:
    make.household(cast.area("泽州东社区"), number="26-11-9001", householder="暂存户")
    client.force_login(cast.town_officer)
    shown = text(client.get(page))
    assert '<a href="/households/26-11-9001/">26-11-9001 暂存户</a>' in shown
    assert "村（社区）核实无误" not in shown
    assert act(client, page, "verify").status_code == 422


def test_a_return_shows_its_reasons_to_the_village(cast: Cast, client: Client, page: str) -> None:
    one = list_scene.noticed(cast, cast.area("泽州东社区"))
    with clock.at(after_notice()):
        village_list.submit(one, by=cast.town_officer)
        client.force_login(cast.town_officer)
        offered = text(client.get(page))
        assert "退回修改" in offered and "撤回修改" not in offered  # one way back, not two
        assert act(client, page, "return").status_code == 422
        done = act(client, page, "return", reasons=["values", "plan"], text="第三户面积")
        assert done.status_code == 302
        shown = text(client.get(page))
    assert "户信息有误；与下达任务不符；第三户面积" in shown


def test_objections_and_remarks_are_taken_down_on_the_page(
    cast: Cast, client: Client, page: str, homes: list[Household]
) -> None:
    one = list_scene.noticed(cast, cast.area("泽州东社区"))
    client.force_login(cast.town_officer)
    client.post(f"{page}objection/", {"on": "2026-06-01", "text": "面积不对"})
    said = one.objections.get()
    client.post(f"{page}objection/", {"objection": said.pk, "outcome": "复核无误"})
    said.refresh_from_db()
    assert (said.text, said.outcome) == ("面积不对", "复核无误")
    assert client.post(f"{page}objection/", {"objection": "x"}).status_code == 404
    with clock.at(after_notice()):
        village_list.submit(one, by=cast.town_officer)
        client.logout()
        client.force_login(cast.town_officer)
        client.post(f"{page}remark/", {"uid": homes[0].uid, "text": "核对门牌"})
    assert one.entries.get(household=homes[0]).remark == "核对门牌"
    client.logout()
    client.force_login(cast.reader)
    assert client.post(f"{page}remark/", {"uid": homes[0].uid}).status_code == 403
    assert client.post(f"{page}objection/", {"text": "x"}).status_code == 403


def test_a_photo_is_taken_by_its_content_and_handed_out_safely(
    cast: Cast, client: Client, page: str
) -> None:
    one = list_scene.verified(cast, cast.area("泽州东社区"))
    client.force_login(cast.town_officer)
    bad = list_scene.photo()
    bad.truncate(0)
    bad.write(b"<html><script>alert(1)</script></html>")
    bad.seek(0)
    client.post(f"{page}paper/", {"photo": bad})
    assert not one.papers.exists()
    client.post(f"{page}paper/", {"photo": photo()})
    address = f"/papers/{one.papers.get().uid}/"
    answer = client.get(address)
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert b"".join(answer)[:2] == b"\xff\xd8"
    client.force_login(cast.outsider)
    assert client.get(address).status_code == 404
    client.logout()
    assert client.get(address).status_code == 302


def test_the_list_stands_beside_its_task(cast: Cast, client: Client) -> None:
    plan_of(cast)
    area = cast.area("洞头村")  # a task of 2, one household of the cast
    Household.objects.filter(area=area).update(surveyed_on=date(2026, 6, 1))
    client.force_login(cast.clerk)
    context = client.get(f"/lists/2026/{area.pk}/").context
    assert [(str(m.label), task, n, d) for m, task, n, d in context["comparison"]] == [
        ("电代煤", 2, 1, -1)
    ]
    assert "少 1 户" in text(client.get("/lists/?year=2026"))


def test_lists_are_handed_out_as_a_file(cast: Cast, client: Client, page: str) -> None:
    client.force_login(cast.town_officer)
    answer = client.get("/lists/?year=2026&export=csv")
    rows = b"".join(answer).decode("utf-8-sig")
    assert "钟家庄街道,泽州东社区,0,0,3,编制中" in rows


@pytest.mark.parametrize(
    ("who", "state", "words"),
    [
        ("town_officer", ListState.SUBMITTED, "名单待镇审核"),
        ("district_officer", ListState.REVIEWED, "名单待区备案"),
        ("town_officer", ListState.RETURNED, "名单退回修改"),
    ],
)
def test_what_waits_is_told_to_whom_it_waits_for(
    cast: Cast, client: Client, homes: list[Household], who: str, state: str, words: str
) -> None:
    one = list_scene.verified(cast, cast.area("泽州东社区"))
    VillageList.objects.filter(pk=one.pk).update(state=state)
    for name in ("town_officer", "district_officer", "outsider", "reader"):
        person: User = getattr(cast, name)
        client.force_login(person)
        assert (words in text(client.get("/todo/"))) == (name == who), name


def test_the_number_of_queries_does_not_grow_with_the_villages(
    cast: Cast, client: Client, homes: list[Household], django_assert_max_num_queries: Any
) -> None:
    client.force_login(cast.district_officer)
    client.get("/lists/?year=2026")
    for name in ("万苑社区", "南大街社区", "下庄"):
        list_scene.waiting(cast.area(name), 2, by=cast.district_officer)
    with django_assert_max_num_queries(18):
        client.get("/lists/?year=2026")


def test_objections_module_refuses_what_is_settled(cast: Cast, homes: list[Household]) -> None:
    one = list_scene.noticed(cast, cast.area("泽州东社区"))
    said = objections.object_to(one, on=clock.today(), text="x", by=cast.town_officer)
    objections.settle(said, outcome="好", by=cast.town_officer)
    with pytest.raises(village_list.ListRefused):
        objections.settle(said, outcome="再来", by=cast.town_officer)
    with pytest.raises(village_list.ListRefused), clock.at(list_scene.JUNE - timedelta(days=1)):
        objections.object_to(one, on=clock.today(), text="早", by=cast.town_officer)
