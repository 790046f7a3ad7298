"""`manage.py status`: how the platform goes, for people and (`--json`) for monitors."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError
from django.utils.translation import gettext as _

from devices.models import Unit
from heating_platform import processes
from households import clock
from telemetry.models import Command as UnitCommand
from telemetry.models import CommandState, Reading, UnitState, WorkerState

FIGURES = (
    "units",
    "online",
    "silent",
    "readings_last_minute",
    "oldest_unsent_s",
    "rejected_rows",
    "queued_commands",
)


class Command(BaseCommand):
    """Tells what can be told without the database too; exit 1 then."""

    help = "Units, readings, batches, commands, and whether each process lives."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: object, **options: Any) -> None:
        status = gather()
        if options["as_json"]:
            self.stdout.write(json.dumps(status, ensure_ascii=False, indent=1))
        else:
            self.stdout.write("\n".join(_as_text(status)))
        if status["database"] != "ok":
            raise SystemExit(1)


def gather() -> dict[str, Any]:
    """Every figure; of an absent database the reason, and null for what only it can tell."""
    recorded = processes.read(settings.VAR_DIR / processes.FILE)
    told: dict[str, Any] = {
        "processes": {
            name: {
                "lives": one.lives,
                "pid": one.pid,
                "started_at": one.started_at,
                "restarts": one.restarts,
            }
            for name, one in recorded.items()
        }
    }
    try:
        return {"database": "ok", **_figures(), "line_workers": _line_workers(), **told}
    except DatabaseError as error:
        reason = str(error).strip().splitlines()[0]
        nothing: dict[str, Any] = dict.fromkeys(FIGURES)
        return {"database": reason, **nothing, "line_workers": None, **told}


def _figures() -> dict[str, Any]:
    in_service = Unit.objects.in_service()
    units = in_service.count()
    online = UnitState.objects.online().filter(unit__in=in_service).count()
    queued = UnitCommand.objects.filter(state=CommandState.QUEUED).count()
    a_minute_ago = clock.now() - timedelta(minutes=1)
    told = list(WorkerState.objects.values_list("figures", flat=True))
    return {
        "units": units,
        "online": online,
        "silent": units - online,
        "readings_last_minute": Reading.objects.filter(at__gt=a_minute_ago).count(),
        "oldest_unsent_s": max((one.get("oldest_unsent_s", 0) for one in told), default=0),
        "rejected_rows": sum(one.get("rejected_rows", 0) for one in told),
        "queued_commands": queued,
    }


def _line_workers() -> dict[str, dict[str, Any]]:
    return {
        one.name: {"lives": one.lives, "seen_at": one.seen_at.isoformat(timespec="seconds")}
        for one in WorkerState.objects.order_by("name")
    }


def _as_text(status: dict[str, Any]) -> list[str]:
    workers = {
        _("采集进程 %(name)s") % {"name": name}: one
        for name, one in (status["line_workers"] or {}).items()
    }
    lives = {True: _("运行中"), False: _("未运行")}
    lines = [
        f"{name}：{lives[one['lives']]}" for name, one in (status["processes"] | workers).items()
    ]
    if not status["processes"]:
        lines.insert(0, _("这里没有由 ./run 启动的进程"))
    if status["database"] != "ok":
        return [_("数据库不可用：%(reason)s") % {"reason": status["database"]}, *lines]
    figures = [
        _("取暖设备 %(units)s 台，在线 %(online)s，离线 %(silent)s"),
        _("最近一分钟入库读数 %(readings_last_minute)s 条"),
        _("最早未入库批次 %(oldest_unsent_s)s 秒，拒收 %(rejected_rows)s 行"),
        _("排队中的命令 %(queued_commands)s 条"),
    ]
    return [*(text % status for text in figures), *lines]
