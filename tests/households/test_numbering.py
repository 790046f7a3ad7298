import threading

import pytest
from django.db import connection, transaction

from households import numbering
from households.models import NumberLine
from tests import cast as make
from tests.cast import Cast


def test_numbers_of_a_place_follow_each_other(cast: Cast) -> None:
    village = cast.area("洞头村")
    numbering.lay(village, 2027, 12)
    assert numbering.take(village, 2027, 2) == ["27-12-0001", "27-12-0002"]
    assert numbering.take(village, 2027) == ["27-12-0003"]


def test_two_places_never_share_a_line(cast: Cast) -> None:
    numbering.lay(cast.area("洞头村"), 2027, 7)
    numbering.lay(cast.area("时家岭社区"), 2027, 7)
    assert set(NumberLine.objects.values_list("line", flat=True)) == {7, 8}


def test_a_line_once_laid_stays_whatever_a_later_plan_says(cast: Cast) -> None:
    numbering.lay(cast.area("洞头村"), 2027, 7)
    numbering.lay(cast.area("洞头村"), 2027, 9)
    assert numbering.take(cast.area("洞头村"), 2027) == ["27-07-0001"]


def test_what_was_rolled_back_was_not_given(cast: Cast) -> None:
    village = cast.area("洞头村")
    first = numbering.take(village, 2027)
    with pytest.raises(RuntimeError), transaction.atomic():
        numbering.take(village, 2027, 5)
        raise RuntimeError
    assert numbering.take(village, 2027)[0][-4:] == "0002" and first[0][-4:] == "0001"


@pytest.mark.django_db(transaction=True)
def test_two_officers_at_once_get_different_numbers() -> None:
    village = make.areas()["洞头村"]
    given: list[str] = []

    def ask() -> None:
        for _ in range(10):
            given.extend(numbering.take(village, 2027))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(given) == 40 == len(set(given))


def test_many_places_get_their_numbers_at_once(
    cast: Cast, django_assert_max_num_queries: object
) -> None:
    here, there = cast.area("司匠村"), cast.area("万苑社区")
    first = numbering.take(here, 2026)[0]
    with django_assert_max_num_queries(4):  # type: ignore[operator]
        given = numbering.take_many({(here.pk, 2026): 2, (there.pk, 2026): 1})
    line = first.rpartition("-")[0]
    assert given[here.pk, 2026] == [f"{line}-0002", f"{line}-0003"]
    assert [number.rpartition("-")[2] for number in given[there.pk, 2026]] == ["0001"]
    assert given[there.pk, 2026][0].rpartition("-")[0] != line
    assert numbering.take(here, 2026) == [f"{line}-0004"]


def test_places_that_would_have_the_same_line_get_different_ones(cast: Cast) -> None:
    areas = [cast.area(name) for name in ("下庄", "浪井村")]
    for area in areas:
        area.order = 7
        area.save()
    given = numbering.take_many({(area.pk, 2026): 1 for area in areas})
    assert len({number for numbers in given.values() for number in numbers}) == 2
