import pytest

from households.models import Household
from households.pinyin import sound
from tests.cast import Cast


@pytest.mark.parametrize(
    ("name", "heard"),
    [
        ("赵示甲", "zhao shi jia"),
        ("曾示乙", "zeng shi yi"),
        ("单示丙", "shan shi bing"),
        ("Wang", "w a n g"),
        ("", ""),
    ],
)
def test_a_name_is_kept_by_its_sound(name: str, heard: str) -> None:
    assert sound(name) == heard


def test_the_sound_follows_the_name_in_a_save_and_in_bulk(cast: Cast) -> None:
    home = cast.water_household
    home.householder = "钱示丁"
    home.save()
    home.refresh_from_db()
    assert home.householder_sound == "qian shi ding"
    fields = {"area": home.area, "year": 2026, "method": home.method, "number": "26-12-0077"}
    Household.objects.bulk_create([Household(householder="孙示戊", **fields)])
    assert Household.objects.get(number="26-12-0077").householder_sound == "sun shi wu"
