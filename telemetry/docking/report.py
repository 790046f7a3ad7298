"""The report of a run: what was tested and found, as canonical JSON with its digest, and as a PDF.

The JSON is kept with the run once it is judged, since an application may be changed afterwards and
tested anew; anybody who has it can recompute the digest (`sha256sum`). Of the frames it holds the
digests: they stay with the steps.
"""

from __future__ import annotations

import json
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.utils.translation import gettext as _

from devices.modbus import bench
from devices.modbus.bench import Result
from devices.modbus.bench.soak import span
from households import clock
from households.archive import papers
from households.models import User
from telemetry.docking.words import spoken
from telemetry.models import DockingStep, DockingStepState, DockingTest

PRINTED = 40  # frames of a step on the paper; all that were kept can be downloaded
FORM = 1  # of the JSON; another number, another layout


def facts(test: DockingTest) -> dict[str, Any]:
    """All that the report says, in types of JSON: as judged, or as it stands."""
    return json.loads(test.report) if test.report else _facts(test, None)


def seal(test: DockingTest, judge: User) -> None:
    """Give a run its report and digest; not saved. `judged_at` and `passed` are set before."""
    said = _facts(test, judge)
    test.report = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    test.digest = sha256(test.report.encode()).hexdigest()


def _facts(test: DockingTest, judge: User | None) -> dict[str, Any]:
    application, version = test.application, test.application.register_map
    return {
        "form": FORM,
        "application": application.number,
        "maker": application.supplier.name,
        "model": application.model.code,
        "board": application.board,
        "board_version": application.board_version,
        "board_number": application.board_number,
        "firmware": application.firmware,
        "transmitter_model": application.transmitter_model,
        "protocol": application.protocol,
        "protocol_version": application.protocol_version,
        "register_map": {"version": version.version, "digest": version.digest},
        "sample": _sample(test),
        "soak_s": test.soak_s,
        "soak_share": test.soak_share,
        "started_at": _time(test.started_at),
        "judged_at": _time(test.judged_at),
        "passed": test.passed,
        "judged_by": (judge.name or judge.username) if judge else "",
        "steps": [_step(step) for step in test.steps.order_by("place")],
    }


def _sample(test: DockingTest) -> dict[str, Any]:
    sample, second = test.sample, test.application.second_sample
    return {
        "line": sample.gateway.url,
        "address": sample.address,
        "module": sample.module,
        "network_address": sample.network_address,
        "second_address": second.address if second else None,
    }


def _step(step: DockingStep) -> dict[str, Any]:
    told = step.result and Result.from_json(step.result).as_json()
    return {
        "key": step.key,
        "state": step.state,
        "tries": step.tries,
        "started_at": _time(step.started_at),
        "finished_at": _time(step.finished_at),
        "result": told or None,
        "entered": step.entered,
        "photos": len(step.photos),
        "frames": len(step.frames),
        "frames_left_out": step.frames_left_out,
        "frames_digest": sha256(json.dumps(step.frames).encode()).hexdigest(),
    }


def _time(moment: datetime | None) -> str | None:
    return moment.astimezone(clock.SHANGHAI).isoformat(timespec="seconds") if moment else None


# On paper --------------------------------------------------------------------------------------


def pdf(test: DockingTest) -> bytes:
    """The report as a PDF. Raises papers.NoFont where the letters are not installed."""
    return papers.typeset("report", printed(test), {})


def printed(test: DockingTest) -> dict[str, Any]:
    """The facts as the paper says them, in the language of now."""
    said = facts(test)
    frames = {step.key: step.frames for step in test.steps.all()}
    return {
        "title": _("数据对接测试报告"),
        "number": said["application"],
        "digest": test.digest[:16],
        "qr": None,
        "verdict": _verdict(test),
        "sealed": _("报告数据的 SHA-256：%(digest)s") % {"digest": test.digest},
        "must": _("厂家须改："),
        "heads": [_("序号"), _("步骤"), _("结果"), _("说明")],
        "sample": _sample_rows(said),
        "run": _run_rows(said),
        "steps": [
            _printed_step(place, step, frames[step["key"]])
            for place, step in enumerate(said["steps"], start=1)
        ],
    }


def _verdict(test: DockingTest) -> str:
    if test.passed is None:
        return _("尚未判定")
    return _("通过") if test.passed else _("未通过")


def _sample_rows(said: dict[str, Any]) -> list[list[str]]:
    version = said["register_map"]
    return [
        [_("设备厂商"), said["maker"]],
        [_("设备型号"), said["model"]],
        [_("主控板"), f"{said['board']} {said['board_version']}".strip()],
        [_("主控板编号"), said["board_number"]],
        [_("固件版本"), said["firmware"]],
        [_("无线数据传输装置"), said["transmitter_model"]],
        [_("通讯协议"), f"{said['protocol']} {said['protocol_version']}".strip()],
        [
            _("点表"),
            _("第 %(n)d 版 %(digest)s")
            % {"n": version["version"], "digest": version["digest"][:16]},
        ],
    ]


def _run_rows(said: dict[str, Any]) -> list[list[str]]:
    sample, share = said["sample"], f"{100 * said['soak_share']:g}"
    addresses = [sample["address"], sample["second_address"]]
    return [
        [_("开始时间"), _printed_time(said["started_at"])],
        [_("判定时间"), _printed_time(said["judged_at"])],
        [_("连续运行时长"), spoken(span(said["soak_s"]))],
        [_("合格线"), f"{share}%"],
        [_("接入"), sample["line"]],
        [_("线上地址"), _("、").join(str(one) for one in addresses if one is not None)],
        [_("判定人"), said["judged_by"]],
    ]


def _printed_time(moment: str | None) -> str:
    return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M:%S}" if moment else ""


def _printed_step(place: int, step: dict[str, Any], frames: list[Any]) -> dict[str, Any]:
    result = Result.from_json(step["result"]) if step["result"] else None
    return {
        "place": str(place),
        "title": spoken(bench.step(step["key"]).title),
        "state": step["state"],
        "word": str(DockingStepState(step["state"]).label),
        "finding": spoken(result.finding) if result else "",
        "advice": spoken(result.advice) if result and result.advice else "",
        "details": [[spoken(name), spoken(text)] for name, text in result.details]
        if result
        else [],
        "frames": [_printed_frame(*frame) for frame in frames[:PRINTED]],
        "more": _more(step, len(frames)),
    }


def _printed_frame(direction: str, at: float, data: str) -> list[str]:
    moment = datetime.fromtimestamp(at, clock.SHANGHAI)
    way = _("发") if direction == "out" else _("收")
    return [f"{moment:%H:%M:%S.%f}"[:-3], way, bytes.fromhex(data).hex(" ").upper()]


def _more(step: dict[str, Any], kept: int) -> str:
    """What the paper leaves out of the frames, and how they can be checked."""
    if not kept:
        return ""
    left = max(0, kept - PRINTED) + step["frames_left_out"]
    whole = _("留存报文的 SHA-256：%(digest)s") % {"digest": step["frames_digest"]}
    return _("另有 %(left)d 条未印；%(whole)s") % {"left": left, "whole": whole} if left else whole
