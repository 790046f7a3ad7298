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

from devices.modbus.bench import Result
from households import clock
from households.models import User
from telemetry.models import DockingStep, DockingTest

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
