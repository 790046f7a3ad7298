import pytest
from django.db.models import ProtectedError

from households.models import (
    Area,
    Document,
    Guesses,
    Household,
    Notification,
    NumberLine,
    Role,
    Step,
    StepKind,
    User,
    WorkbookExport,
    WorkbookImport,
)
from tests import cast as make
from tests.cast import Cast
from tests.constraints import Case, named, refused, unique_over
from tests.households import account_cases, list_cases, secret_cases


def household(**changes: object) -> Case:
    return lambda cast: make.household(cast.area("洞头村"), **changes)


def area(**fields: object) -> Case:
    return lambda cast: Area.objects.create(**fields)


def second_area_of_a_name(cast: Cast) -> object:
    return Area.objects.create(level="village", name="洞头村", owner=cast.area("钟家庄街道"))


def step_of_a_free_kind(cast: Cast) -> object:
    when = {"on": make.INSTALLED_ON, "recorded_at": make.SERVICE_BEGAN}
    return Step.objects.create(
        household=cast.water_household, kind="painted", recorded_by=cast.clerk, **when
    )


def documents(*papers: dict[str, object]) -> Case:
    """Papers of one household that differ in what is told."""
    plain = {"kind": "other", "on": make.INSTALLED_ON, "size": 1, "added_at": make.SERVICE_BEGAN}
    return lambda cast: [
        Document.objects.create(
            household=cast.water_household, added_by=cast.clerk, **{**plain, **paper}
        )
        for paper in papers
    ]


def upload(**changes: object) -> Case:
    return lambda cast: WorkbookImport.objects.create(
        by=cast.clerk, filename="台账.xlsx", size=1, file="x", **changes
    )


def download(**changes: object) -> Case:
    return lambda cast: WorkbookExport.objects.create(by=cast.clerk, **changes)


def number_lines(*lines: tuple[int, str, int]) -> Case:
    return lambda cast: [
        NumberLine.objects.create(year=year, area=cast.area(place), line=line)
        for year, place, line in lines
    ]


def told_twice(cast: Cast) -> None:
    for _ in range(2):
        Notification.objects.create(
            to=cast.clerk, text="到期", path="/", key="paper-1-30", at=make.SERVICE_BEGAN
        )


def guessed_twice(cast: Cast) -> None:
    for _ in range(2):
        Guesses.objects.create(page="card", visitor="0", minute=make.SERVICE_BEGAN)


CASES: list[tuple[str, Case]] = [
    ("user_of_an_area_has_one", lambda cast: make.user("x", Role.CLERK)),
    ("user_of_an_area_has_one", lambda cast: make.user("x", Role.TOWN)),
    ("user_role_known", lambda cast: make.user("x", "king")),  # type: ignore[arg-type]
    ("area_owner_unless_district", area(level="village", name="无主村")),
    (
        "area_owner_unless_district",
        lambda cast: Area.objects.create(level="district", name="x", owner=cast.area("城区")),
    ),
    ("area_name_once_per_owner", second_area_of_a_name),
    ("area_name_once_per_owner", area(level="district", name="城区")),
    ("household_number_form", household(number="26-1-1")),
    ("household_number_form", household(number="洞头1")),
    ("household_method_known", household(method="coal")),
    ("household_site_kind_known", household(site_kind="castle")),
    ("household_area_plausible", household(heated_area=0)),
    ("household_area_plausible", household(heated_area=-1)),
    ("household_position_source_known", household(position_source="sextant")),
    ("household_position_whole", household(latitude=35.5)),
    ("household_position_whole", household(longitude=112.8)),
    ("household_position_whole", household(latitude=91, longitude=112.8)),
    ("household_position_whole", household(latitude=35.5, longitude=181)),
    ("number_line_once_per_area", number_lines((2027, "洞头村", 1), (2027, "洞头村", 2))),
    ("number_line_once_a_year", number_lines((2027, "洞头村", 1), (2027, "南村村", 1))),
    ("number_line_range", number_lines((2027, "洞头村", 0))),
    ("step_kind_known", step_of_a_free_kind),
    ("document_kind_known", documents({"kind": "poem"})),
    ("document_withdrawn_with_reason", documents({"withdrawn_at": make.SERVICE_BEGAN})),
    ("document_withdrawn_with_reason", documents({"withdrawn_why": "传错了"})),
    ("document_once_per_household", documents({"digest": "a"}, {"digest": "a"})),
    ("import_state_known", upload(state="lost")),
    ("import_written_once_imported", upload(state="imported")),
    ("import_written_once_imported", upload(imported_at=make.SERVICE_BEGAN)),
    ("export_state_known", download(state="lost")),
    ("export_of_whole_phones_has_a_reason", download(phones="plain")),
    ("notification_once", told_twice),
    ("guesses_once_a_minute", guessed_twice),
    *list_cases.CASES,
    *account_cases.CASES,
    *secret_cases.CASES,
]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_the_database_refuses(cast: Cast, name: str, case: Case) -> None:
    with refused(name):
        case(cast)


def test_no_constraint_is_left_untried() -> None:
    assert {name for name, _ in CASES} == named("households")


def test_two_households_never_share_a_number_or_a_uid(cast: Cast) -> None:
    with refused(unique_over("households_household", "number")):
        make.household(cast.area("洞头村"), number=cast.water_household.number)
    with refused(unique_over("households_household", "uid")):
        make.household(cast.area("洞头村"), uid=cast.water_household.uid)


def test_villages_of_two_towns_may_share_a_name(cast: Cast) -> None:
    again = Area.objects.create(level="village", name="洞头村", owner=cast.area("南村镇"))
    assert again.town == cast.area("南村镇")


def test_whoever_has_recorded_a_step_cannot_be_deleted(cast: Cast) -> None:
    make.reach(cast.water_household, StepKind.SURVEYED, cast.clerk)
    with pytest.raises(ProtectedError):
        User.objects.get(pk=cast.clerk.pk).delete()


def test_an_area_with_households_cannot_be_deleted(cast: Cast) -> None:
    with pytest.raises(ProtectedError):
        cast.area("洞头村").delete()
    assert Household.objects.filter(area=cast.area("洞头村")).exists()
