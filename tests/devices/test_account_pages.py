"""账号管理: who keeps accounts and rights, what they do, and what they may not."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from devices.models import Assignment, SupplierMember
from households.accounts import account_acts, handover
from households.models import Role, SignIn, User
from tests import cast as people
from tests.cast import PASSWORD, Cast


def keeper(username: str, *permissions: str) -> User:
    person = people.user(username, Role.ADMINISTRATOR, name=username)
    User.objects.filter(pk=person.pk).update(**{f"keeps_{one}": True for one in permissions})
    return User.objects.get(pk=person.pk)


def as_(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def all_three(cast: Cast) -> Client:
    return as_(keeper("guanli", "accounts", "rights", "log"))


def wish(**changes: object) -> dict[str, object]:
    return {"username": "xiazhuang", "name": "下庄示甲", "role": "clerk", "area": ""} | changes


def password_on(page: str) -> str:
    found = re.search(r'class="secret mono">([^<]+)<', page)
    assert found
    return found[1]


def test_a_new_account_signs_in_with_its_initial_password_and_changes_it_first(
    cast: Cast, all_three: Client, client: Client
) -> None:
    page = all_three.post("/accounts/new/", wish(area=cast.area("下庄").pk)).content.decode()
    first = password_on(page)
    assert client.post("/sign-in/", {"username": "xiazhuang", "password": first}).status_code == 302
    assert client.get("/households/")["Location"] == "/personal/password/"
    new = {"new_password1": "Leng-nuan 8866", "new_password2": "Leng-nuan 8866"}
    same = {"new_password1": first, "new_password2": first}
    assert client.post("/personal/password/", {"old_password": first} | same).status_code == 200
    assert client.post("/personal/password/", {"old_password": first} | new).status_code == 302
    assert client.get("/households/").status_code == 200


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"area": ""}, "请选择一个村（社区）"),
        ({"area": "钟家庄街道"}, "请选择一个村（社区）"),
        ({"role": "town", "area": "下庄"}, "请选择一个镇（街道）"),
        ({"role": "district", "area": "下庄"}, "不选区域"),
        ({"role": "installer"}, "请选择供应商"),
        ({"username": "QU", "area": "下庄"}, "已有这个账号"),
        ({"username": "两 字", "area": "下庄"}, "用户名"),
        ({"area": "下庄", "keeps_log": "on"}, "三员的权限只给"),
    ],
)
def test_an_account_that_does_not_fit_is_refused_in_words(
    cast: Cast, all_three: Client, changes: dict[str, str], words: str
) -> None:
    place = changes.get("area")
    said = wish(**changes) | ({"area": cast.area(place).pk} if place else {})
    response = all_three.post("/accounts/new/", said)
    assert response.status_code == 422
    assert words in response.content.decode()
    assert User.objects.filter(username__in=("xiazhuang", "QU")).count() == 0


def test_a_suppliers_account_belongs_to_it(cast: Cast, all_three: Client) -> None:
    maker = cast.water.model.supplier
    all_three.post("/accounts/new/", wish(role="installer", supplier=maker.pk))
    assert SupplierMember.objects.get(user__username="xiazhuang").supplier == maker


def test_the_keeper_of_accounts_gives_no_rights(cast: Cast) -> None:
    client = as_(keeper("zhanghao", "accounts"))
    page = f"/accounts/{cast.town_officer.pk}/"
    client.post(page, {"name": "新名", "role": "administrator", "keeps_rights": "on"})
    cast.town_officer.refresh_from_db()
    assert (cast.town_officer.name, cast.town_officer.role) == ("新名", Role.TOWN)
    client.post("/accounts/new/", wish(role="administrator"))
    assert not User.objects.filter(username="xiazhuang").exists()


@pytest.mark.parametrize("act", ["password", "second-factor"])
def test_the_keeper_of_accounts_gains_nobodys_rights(cast: Cast, act: str) -> None:
    rights, accounts = keeper("quanxian", "rights"), keeper("zhanghao", "accounts")
    page = as_(accounts).post(f"/accounts/{rights.pk}/{act}/", follow=True).text
    assert "负责“权限管理（安全管理员）”" in page
    assert 'class="secret mono"' not in page
    rights.refresh_from_db()
    assert rights.check_password(PASSWORD)
    other = keeper("guanli", "accounts", "rights")
    assert "负责“" not in as_(other).post(f"/accounts/{rights.pk}/{act}/", follow=True).text


def test_the_keeper_of_rights_gives_roles_and_makes_no_accounts(cast: Cast) -> None:
    client = as_(keeper("quanxian", "rights"))
    there = as_(cast.town_officer)
    there.get("/personal/")
    page = f"/accounts/{cast.town_officer.pk}/"
    client.post(page, {"name": "不变", "role": "reader", "area": ""})
    cast.town_officer.refresh_from_db()
    assert (cast.town_officer.name, cast.town_officer.role) == ("钟家庄测试员", Role.READER)
    assert there.get("/personal/").status_code == 302
    assert client.get("/accounts/new/").status_code == 403
    assert client.post(f"{page}disable/").status_code == 403


@pytest.mark.parametrize("permissions", [(), ("log",)])
def test_other_administrators_see_no_accounts(cast: Cast, permissions: tuple[str, ...]) -> None:
    assert as_(keeper("rizhi", *permissions)).get("/accounts/").status_code == 403


def test_nobody_changes_his_own_rights_or_disables_himself(cast: Cast, all_three: Client) -> None:
    me = User.objects.get(username="guanli")
    said = {"name": "x", "role": "administrator", "keeps_accounts": "on"}
    assert "不能改自己的" in all_three.post(f"/accounts/{me.pk}/", said).content.decode()
    answer = all_three.post(f"/accounts/{me.pk}/disable/", follow=True)
    assert "不能停用自己" in answer.content.decode()
    me.refresh_from_db()
    assert me.is_active and me.keeps_log


def test_the_last_keeper_of_the_log_stays(cast: Cast) -> None:
    client = as_(keeper("guanli", "accounts", "rights"))
    last = keeper("shenji", "log")
    answer = client.post(f"/accounts/{last.pk}/disable/", follow=True)
    assert "至少要有一个在用账号负责" in answer.content.decode()
    last.refresh_from_db()
    assert last.is_active


def test_two_keepers_who_disable_each_other_come_one_after_the_other(
    cast: Cast,
) -> None:
    one, other = keeper("jia", "accounts"), keeper("yi", "accounts")
    with CaptureQueriesContext(connection) as asked:
        account_acts.disable(other, by=one)
    first = next(query["sql"] for query in asked if "households_user" in query["sql"])
    assert first.endswith("FOR UPDATE")


def test_a_disabled_account_is_out_and_may_come_back(cast: Cast, all_three: Client) -> None:
    there = as_(cast.clerk)
    there.get("/personal/")
    page = f"/accounts/{cast.clerk.pk}/"
    all_three.post(f"{page}disable/")
    assert there.get("/personal/").status_code == 302
    assert not SignIn.objects.open().filter(user=cast.clerk).exists()
    all_three.post(f"{page}enable/")
    assert there.get("/personal/").status_code == 302
    assert as_(cast.clerk).get("/personal/").status_code == 200


def test_a_locked_account_is_shown_and_unlocked(
    cast: Cast, all_three: Client, client: Client
) -> None:
    for _n in range(5):
        client.post("/sign-in/", {"username": "dongtou", "password": "wrong"})
    assert "dongtou" in all_three.get("/accounts/?state=locked").content.decode()
    all_three.post(f"/accounts/{cast.clerk.pk}/unlock/")
    answer = client.post("/sign-in/", {"username": "dongtou", "password": PASSWORD})
    assert answer.status_code == 302


def test_a_reset_password_ends_what_was_open(cast: Cast, all_three: Client, client: Client) -> None:
    there = as_(cast.clerk)
    page = all_three.post(f"/accounts/{cast.clerk.pk}/password/").content.decode()
    assert there.get("/personal/").status_code == 302
    said = {"username": "dongtou", "password": password_on(page)}
    assert client.post("/sign-in/", said).status_code == 302


def test_work_goes_to_a_successor_in_one_step(cast: Cast, all_three: Client) -> None:
    maker = cast.water.model.supplier
    old, new = (people.user(name, Role.INSTALLER) for name in ("laozhang", "xiaoli"))
    for person in (old, new):
        SupplierMember.objects.create(user=person, supplier=maker)
    people.user("bieren", Role.INSTALLER)
    Assignment.objects.create(
        household=cast.water_household,
        supplier=maker,
        installer=old,
        assigned_by=cast.town_officer,
        assigned_at=people.SERVICE_BEGAN,
    )
    page = f"/accounts/{old.pk}/handover/"
    offered = all_three.get(page).content.decode()
    assert "xiaoli" in offered and "bieren" not in offered
    told = all_three.post(page, {"successor": new.pk}).content.decode()
    assert re.search(r"分派的安装</td><td class=\"num\">1<", told)
    assert Assignment.objects.get().installer == new
    old.refresh_from_db()
    assert not old.is_active


def test_a_successor_who_reaches_otherwise_is_refused(cast: Cast, all_three: Client) -> None:
    page = f"/accounts/{cast.clerk.pk}/handover/"
    for wrong in (cast.town_officer.pk, "x", "", 10**30):
        all_three.post(page, {"successor": wrong})
    cast.clerk.refresh_from_db()
    assert cast.clerk.is_active
    assert list(handover.successors(cast.clerk)) == []


def test_rules_of_roles_are_saved_and_wrong_minutes_told(cast: Cast) -> None:
    client = as_(keeper("quanxian", "rights"))
    said = {f"idle-{role}": "30" for role in Role} | {"factor-district": "on"}
    assert client.post("/accounts/rules/", said).status_code == 302
    assert as_(cast.district_officer).get("/")["Location"] == "/personal/second-factor/"
    for wrong in ("0", "721", "x", "", "３０", "9" * 30):
        answer = client.post("/accounts/rules/", said | {"idle-town": wrong})
        assert answer.status_code == 422, wrong
    assert as_(cast.clerk).get("/accounts/rules/").status_code == 403


def test_the_list_is_filtered_sorted_and_handed_out(cast: Cast, all_three: Client) -> None:
    page = all_three.get("/accounts/?role=clerk&sort=-name").content.decode()
    assert "dongtou" in page and "zhongjiazhuang" not in page
    file = b"".join(all_three.get("/accounts/?export=csv")).decode()
    assert "dongtou" in file and "洞头村" in file and "guanli" in file
    for strange in ("role=x", "area=1e400", "sort=;", "page=x"):
        assert all_three.get(f"/accounts/?{strange}").status_code == 200
