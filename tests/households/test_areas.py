"""The order in which places are offered to choose from."""

from django.test import Client

from households.models import Area
from tests import cast as make
from tests.cast import Cast


def test_each_town_is_followed_by_its_own_villages(cast: Cast) -> None:
    told = Area.objects.exclude(level=Area.Level.DISTRICT).by_town()
    notice = [place for town, own in make.VILLAGES.items() for place in (town, *own)]
    assert [area.name for area in told] == notice


def test_a_filter_offers_a_village_below_its_own_town(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.district_officer)
    page = client.get("/households/").content.decode()
    towns_and_villages = ["钟家庄街道", "　时家岭社区", "　泽州东社区", "　洞头村", "东街街道"]
    places = [page.index(f">{name}</option>") for name in towns_and_villages]
    assert places == sorted(places)
