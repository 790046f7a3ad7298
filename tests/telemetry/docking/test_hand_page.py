"""The steps at the sample: told, frozen, judged, with photos."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from households import clock
from telemetry.models import DockingStep, DockingTest
from tests.cast import Cast, answered
from tests.telemetry.docking.bench_scene import READ, begun
from tests.telemetry.lines import opened

pytestmark = pytest.mark.django_db
PANEL = {
    "supply_temp": "43.0",
    "return_temp": "38.5",
    "outdoor_temp": "14",
    "indoor_temp_setpoint": "20",
    "power_state": "yes",
    "mode": "heating",
    "fault_active": "no",
}


@pytest.fixture
def run(cast: Cast) -> DockingTest:
    return begun(cast)


@pytest.fixture
def tester(cast: Cast, client: Client) -> Client:
    client.force_login(cast.tester)
    return client


def url(run: DockingTest, key: str, tail: str = "") -> str:
    return f"/docking/{run.application.number}/test/steps/{key}/{tail}"


def step(run: DockingTest, key: str) -> DockingStep:
    return run.steps.get(key=key)


def reads(run: DockingTest, *, ago: float = 0, **values: object) -> None:
    """The platform read the sample so long ago, in seconds."""
    answered(run.sample, clock.now() - timedelta(seconds=ago), **READ | values)


def photo() -> SimpleUploadedFile:
    picture = io.BytesIO()
    Image.new("RGB", (640, 480), "white").save(picture, "JPEG")
    return SimpleUploadedFile("panel.jpg", picture.getvalue(), "image/jpeg")


def test_the_panel_is_compared_with_what_the_platform_read_at_that_moment(
    tester: Client, run: DockingTest
) -> None:
    answer = tester.post(url(run, "panel"), PANEL)
    assert answer["Location"].endswith("?step=panel#step")
    done = step(run, "panel")
    assert done.state == "passed"
    assert done.entered["platform"]["supply_temp"]["value"] == 43.1
    assert done.entered["values"] == {
        "supply_temp": 43.0,
        "return_temp": 38.5,
        "outdoor_temp": 14.0,
        "indoor_temp_setpoint": 20.0,
        "power_state": True,
        "mode": "heating",
        "fault_active": False,
    }
    reads(run, supply_temp=60.0)  # what comes later changes nothing of the comparison
    said = tester.get(f"/docking/{run.application.number}/test/").content.decode()
    assert "43.1 °C" in said and "与面板一致" in said


def test_a_panel_that_shows_another_value_fails_the_step(tester: Client, run: DockingTest) -> None:
    tester.post(url(run, "panel"), PANEL | {"supply_temp": "46"})
    assert step(run, "panel").state == "failed"
    said = tester.get(f"/docking/{run.application.number}/test/").content.decode()
    assert "与面板不符" in said and "厂家须改" in said


def test_too_few_values_of_a_panel_are_no_comparison(tester: Client, run: DockingTest) -> None:
    answer = tester.post(url(run, "panel"), {"supply_temp": "43", "mode": "heating"})
    assert answer.status_code == 422
    assert "至少填 4 项" in answer.content.decode()
    assert step(run, "panel").state == "open"


def test_a_platform_that_has_not_read_lately_freezes_nothing(
    tester: Client, run: DockingTest
) -> None:
    reads(run, ago=200)
    answer = tester.post(url(run, "panel"), PANEL, follow=True)
    assert "平台两分钟内没有读到样机" in answer.content.decode()
    assert step(run, "panel").state == "open"


def test_a_resistor_is_judged_by_the_temperature_that_it_stands_for(
    tester: Client, run: DockingTest
) -> None:
    reads(run, outdoor_temp=-7.2)
    tester.post(url(run, "resistor"), {"ohms": "40000"})
    assert step(run, "resistor").state == "passed"
    reads(run, outdoor_temp=6546.4)
    tester.post(url(run, "resistor"), {"ohms": "40000"})
    again = step(run, "resistor")
    assert again.state == "failed" and again.tries == 2


def test_an_open_and_a_shorted_sensor_are_frozen_one_after_the_other(
    tester: Client, run: DockingTest
) -> None:
    answer = tester.post(url(run, "sensor"), {"note": ""}, follow=True)
    assert "还没有记下“断开时”的读数" in answer.content.decode()
    for name in ("open", "short"):
        state = answered(run.sample, clock.now(), **READ)
        state.values.pop("outdoor_temp")
        at = clock.now().isoformat()
        state.aside = {"outdoor_temp": {"value": None, "quality": f"sensor_{name}", "at": at}}
        state.save()
        tester.post(url(run, "sensor"), {"capture": name})
    said = tester.get(url(run, "sensor")).content.decode()
    assert "传感器断路" in said and "传感器短路" in said
    tester.post(url(run, "sensor"), {"note": ""})
    assert step(run, "sensor").state == "passed"
    assert tester.post(url(run, "sensor"), {"capture": "nothing"}).status_code == 404


def test_a_sensor_that_lies_fails(tester: Client, run: DockingTest) -> None:
    for name in ("open", "short"):
        tester.post(url(run, "sensor"), {"capture": name})
    tester.post(url(run, "sensor"), {"note": ""})
    assert step(run, "sensor").state == "failed"


def test_what_the_sample_was_before_and_after_a_power_cut_is_frozen(
    tester: Client, run: DockingTest
) -> None:
    tester.post(url(run, "power_cut"), {"capture": "before"})
    reads(run, power_state=False)
    tester.post(url(run, "power_cut"), {"capture": "after"})
    tester.post(url(run, "power_cut"), {"answered_after_s": "40", "starting": "silent"})
    assert step(run, "power_cut").state == "failed"


@pytest.mark.parametrize(
    ("key", "sent", "state"),
    [
        ("controller", {"connected": "yes", "usable": "yes"}, "passed"),
        ("controller", {"connected": "yes", "usable": "no"}, "failed"),
        ("controller", {"connected": "no", "usable": "yes"}, "unproven"),
        (
            "transmitter",
            {"back_after_reboot_s": "35", "back_after_sim_s": "50", "registration": "QN-000900"},
            "passed",
        ),
        ("transmitter", {"back_after_reboot_s": "35", "registration": "QN-000900"}, "failed"),
    ],
)
def test_answers_are_judged(
    tester: Client, run: DockingTest, key: str, sent: dict[str, str], state: str
) -> None:
    tester.post(url(run, key), sent)
    assert step(run, key).state == state


@pytest.mark.parametrize(
    ("key", "sent"),
    [
        ("controller", {"connected": "yes"}),
        ("controller", {"connected": "perhaps", "usable": "yes"}),
        ("power_cut", {"answered_after_s": "inf", "starting": "silent"}),
        ("power_cut", {"answered_after_s": "5", "starting": "asleep"}),
        ("resistor", {"ohms": "-5"}),
        ("panel", PANEL | {"supply_temp": "nan"}),
        ("panel", PANEL | {"mode": "disco"}),
    ],
)
def test_what_is_no_answer_is_told_and_judges_nothing(
    tester: Client, run: DockingTest, key: str, sent: dict[str, str]
) -> None:
    assert tester.post(url(run, key), sent).status_code == 422
    assert step(run, key).state == "open"


def test_a_photo_is_kept_and_seen_by_the_maker_alone(
    tester: Client, run: DockingTest, cast: Cast
) -> None:
    tester.post(url(run, "panel"), PANEL | {"photos": [photo()]})
    assert len(step(run, "panel").photos) == 1
    tester.force_login(cast.supplier_member)
    answer = tester.get(url(run, "panel", "photos/1/"))
    assert answer["Content-Type"] == "image/jpeg"
    assert b"".join(answer.streaming_content).startswith(b"\xff\xd8")  # type: ignore[attr-defined]
    assert tester.get(url(run, "panel", "photos/2/")).status_code == 404
    tester.force_login(cast.rival)
    assert tester.get(url(run, "panel", "photos/1/")).status_code == 404


def test_what_is_no_photo_is_refused_and_judges_nothing(tester: Client, run: DockingTest) -> None:
    sheet = SimpleUploadedFile("a.pdf", b"%PDF-1.4 nothing")
    tester.post(url(run, "panel"), PANEL | {"photos": [sheet]})
    assert step(run, "panel").state == "open"
    many = [photo() for _ in range(7)]
    answer = tester.post(url(run, "panel"), PANEL | {"photos": many}, follow=True)
    assert "一次最多 6 张" in answer.content.decode()
    assert step(run, "panel").state == "open"


def test_the_page_shows_what_the_platform_reads_meanwhile(tester: Client, run: DockingTest) -> None:
    reads(run, outdoor_temp=-7.1)
    assert "−7.1 °C" in tester.get(url(run, "resistor") + "?part=now").content.decode()
    assert "43.1" not in tester.get(url(run, "panel")).content.decode()  # nobody copies them


def test_an_automatic_step_has_no_form(tester: Client, run: DockingTest) -> None:
    assert tester.get(url(run, "labels")).status_code == 404
    assert tester.post(url(run, "labels"), {}).status_code == 404


def test_what_the_platform_heard_of_the_transmitter_is_kept_beside_what_was_typed(
    tester: Client, run: DockingTest
) -> None:
    opened(run.sample.gateway)
    assert "708 次" in tester.get(url(run, "transmitter") + "?part=now").content.decode()
    tester.post(
        url(run, "transmitter"),
        {"back_after_reboot_s": "35", "back_after_sim_s": "50", "registration": "专用"},
    )
    kept = step(run, "transmitter").entered
    assert kept["heartbeats"] == 708 and kept["registered_at"]


def test_while_an_automatic_step_runs_the_page_says_that_nothing_is_read(
    tester: Client, run: DockingTest
) -> None:
    run.steps.filter(key="addresses").update(state="running")
    assert "平台暂不读取" in tester.get(url(run, "resistor")).content.decode()
    run.steps.filter(key="addresses").update(state="passed")
    run.steps.filter(key="soak").update(state="running")
    assert "平台暂不读取" not in tester.get(url(run, "resistor")).content.decode()
