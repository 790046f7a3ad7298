"""The pages of the lines in a browser: usable by all, nothing breaks, frames come by themselves."""

from __future__ import annotations

import pytest

from households import clock
from telemetry import tracing
from telemetry.models import LineTrace
from telemetry.tracing import Chunk
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.browser.test_pages import said
from tests.cast import Cast, answered
from tests.telemetry.lines import lost, opened, trouble, works
from tests.telemetry.test_trace_page import ASK, SAY
from tests.telemetry.test_unknown_page import stranger

NAMES = "一条名字很长的通信链路，在洞头村第二村民小组"
PAGES = {
    "lines": "/lines/",
    "no lines found": "/lines/?q=没有的",
    "line": "/lines/{line}/",
    "line that is away": "/lines/{away}/",
    "trace": "/lines/{line}/trace/",
    "unknown transmitters": "/lines/unknown/",
    "taking one on": "/lines/unknown/{stranger}/",
    "units of a cause": "/units/?cause=line_down",
}


@pytest.fixture
def wire(cast: Cast) -> dict[str, int]:
    """A line with figures, problems and frames, one that is away, and a stranger."""
    works()
    line = cast.water.gateway
    line.name, line.monthly_budget_mb = NAMES, 30
    line.save()
    opened(line, problems=[trouble(), trouble("地址 5 有两台设备应答", 5)])
    lost(cast.air.gateway)
    answered(cast.water, clock.now(), supply_temp=43.1)
    hear(line.pk, 20)
    return {"line": line.pk, "away": cast.air.gateway_id, "stranger": stranger("QN-9", "138").pk}


def hear(line: int, exchanges: int) -> None:
    now = clock.now().timestamp()
    tracing.keep({line: [Chunk("out", now, ASK), Chunk("in", now, b"\xfe" + SAY)] * exchanges})


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_every_page_of_the_lines_works_and_reads_well(
    visitor: Visitor, cast: Cast, wire: dict[str, int], size: dict[str, int]
) -> None:
    visitor.resize(size)
    visitor.be(cast.service_unit)
    found = {}
    for name, path in PAGES.items():
        visitor.go(path.format(**wire))
        found[name] = said(visitor)
    assert not {name: words for name, words in found.items() if words}
    assert visitor.foreign == []


def test_new_frames_appear_below_while_the_trace_runs(
    visitor: Visitor, cast: Cast, wire: dict[str, int]
) -> None:
    visitor.be(cast.service_unit)
    visitor.go(PAGES["trace"].format(**wire))
    visitor.follow("text=开始跟踪")
    visitor.page.wait_for_selector("text=正在跟踪")
    before = visitor.page.locator("#frames tr").count()
    hear(wire["line"], 3)
    visitor.page.wait_for_selector(f"#frames tr:nth-child({before + 6})")
    visitor.reads("#frames tr:last-child", "供水温度 43.1 °C")
    visitor.page.wait_for_function(
        "(box => box.scrollHeight - box.scrollTop - box.clientHeight < 5)"
        "(document.getElementById('frames-box'))"
    )  # the newest is in view
    LineTrace.objects.get(gateway=wire["line"]).end()
    visitor.page.wait_for_selector("text=开始跟踪")
    assert visitor.troubles == []


def test_the_page_of_a_line_follows_what_happens(
    visitor: Visitor, cast: Cast, wire: dict[str, int]
) -> None:
    visitor.be(cast.service_unit)
    visitor.go(PAGES["line"].format(**wire))
    visitor.reads("#pill", "接通有问题")
    lost(cast.water.gateway)
    visitor.page.wait_for_selector("#problems >> text=连接已断开")
    visitor.reads("#pill", "中断")
