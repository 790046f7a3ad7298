import pytest

from tests import cast as make
from tests.cast import Cast


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("district_officer", 19),
        ("reader", 19),
        ("town_officer", 4),
        ("clerk", 1),
        ("outsider", 9),
        ("supplier_member", 0),
    ],
)
def test_each_sees_the_areas_of_his_place(cast: Cast, who: str, seen: int) -> None:
    client = make.program(getattr(cast, who), "areas:read")
    assert client.get("/api/areas/").json()["count"] == seen


def test_a_foreign_area_is_not_found(cast: Cast) -> None:
    client = make.program(cast.outsider)
    assert client.get(f"/api/areas/{cast.area('洞头村').pk}/").status_code == 404
    assert client.get(f"/api/areas/{cast.area('司匠村').pk}/").status_code == 200


def test_areas_come_in_the_notices_order_and_can_be_narrowed(cast: Cast) -> None:
    client = make.program(cast.district_officer)
    towns = client.get("/api/areas/?level=town").json()["results"]
    assert [town["name"] for town in towns] == list(make.VILLAGES)
    owner = cast.area("钟家庄街道").pk
    villages = client.get(f"/api/areas/?owner={owner}").json()["results"]
    assert [village["name"] for village in villages] == list(make.VILLAGES["钟家庄街道"])


def test_a_wrong_filter_is_400_with_its_name(cast: Cast) -> None:
    answer = make.program(cast.reader).get("/api/areas/?level=moon")
    assert answer.status_code == 400
    assert list(answer.json()) == ["level"]


def test_a_huge_page_size_is_cut_and_a_page_that_is_not_there_is_404(cast: Cast) -> None:
    client = make.program(cast.reader)
    assert len(client.get("/api/areas/?page_size=1000000").json()["results"]) == 19
    assert client.get("/api/areas/?page=99999999999999999999").status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_can_be_written(cast: Cast, method: str) -> None:
    client = make.person(cast.district_officer)
    assert getattr(client, method)("/api/areas/", {}).status_code == 405


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("district_officer", 2),
        ("town_officer", 2),
        ("clerk", 1),
        ("outsider", 0),
        ("rival", 0),
    ],
)
def test_each_sees_the_households_of_his_place(cast: Cast, who: str, seen: int) -> None:
    client = make.program(getattr(cast, who), "households:read")
    assert client.get("/api/households/").json()["count"] == seen


def test_a_household_is_told_by_its_number_and_never_by_a_person(cast: Cast) -> None:
    home = cast.water_household
    told = make.get(make.program(cast.clerk), f"/api/households/{home.number}/")
    assert told["number"] == home.number and told["area_name"] == "洞头村"
    assert not {"householder", "phone", "door"} & set(told)
    assert home.householder not in str(told)


def test_a_foreign_household_is_not_found(cast: Cast) -> None:
    make.get(make.program(cast.outsider), f"/api/households/{cast.water_household.number}/", 404)


def test_households_need_their_own_scope(cast: Cast) -> None:
    make.get(make.program(cast.clerk, "areas:read"), "/api/households/", 403)
