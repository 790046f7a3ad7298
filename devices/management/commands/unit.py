"""`manage.py unit`: connect a real unit to the platform, list the units, retire one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils.translation import gettext as _

from devices import connecting
from devices.management.commands import registermap
from devices.modbus import mapcolumns, pointmap
from devices.modbus.mistakes import Mistake
from devices.modbus.troubles import UrlRefused
from devices.models import Installation, Medium, Unit
from households import clock


class Command(BaseCommand):
    help = "Connect a heating unit (add), show the units (list), take one out of service (retire)."

    def add_arguments(self, parser: CommandParser) -> None:
        kinds = parser.add_subparsers(dest="what", required=True)
        add = kinds.add_parser("add", help="a unit at an address of a line, read by a register map")
        _add_line(add)
        _add_product(add)
        kinds.add_parser("list", help="the units that are not retired")
        retire = kinds.add_parser("retire", help="a unit that is no longer polled")
        retire.add_argument("id", type=int, help="its number in the list")

    def handle(self, *args: object, **options: Any) -> None:
        getattr(self, f"_{options['what']}")(options)

    def _add(self, options: dict[str, Any]) -> None:
        file: Path = options.pop("map")
        names = connecting.Wish.__dataclass_fields__
        given = {name: value for name, value in options.items() if name in names}
        wish = connecting.Wish(map_data=registermap.content(file), map_name=file.name, **given)
        try:
            unit = connecting.connect(wish)
        except pointmap.MapRefused as refusal:
            raise CommandError(_map_mistakes(file, refusal.report.mistakes)) from None
        except UrlRefused as refusal:
            raise CommandError(_(refusal.sentence.template) % refusal.sentence.params) from None
        except connecting.NotConnected as refusal:
            raise CommandError(str(refusal)) from None
        told = {"id": unit.pk, "unit": unit, "worker": unit.gateway.line_worker}
        self.stdout.write(
            _("已登记设备 %(id)s（%(unit)s），采集进程 %(worker)s 几秒内开始采集") % told
        )
        if not unit.gateway.trusted:
            self.stdout.write(_("链路尚未标为可信（--trusted），设备只读，不能远程设定"))
        elif unit.gateway.why_read_only:
            self.stdout.write(unit.gateway.why_read_only)

    def _list(self, options: dict[str, Any]) -> None:
        units = Unit.objects.filter(retired_at=None).select_related("gateway", "model__supplier")
        for unit in units:
            place = f"{unit.gateway.url}  {unit.address}"
            product = f"{unit.model.supplier} {unit.model}"
            self.stdout.write(f"{unit.pk}  {place}  {product}  {unit.factory_number}".rstrip())
        if not units:
            self.stdout.write(_("还没有设备：用 unit add 登记第一台"))

    @transaction.atomic
    def _retire(self, options: dict[str, Any]) -> None:
        unit = Unit.objects.select_for_update().filter(pk=options["id"]).first()
        if unit is None or unit.retired_at:
            raise CommandError(
                _("没有在用的设备 %(id)s：用 unit list 查看") % {"id": options["id"]}
            )
        unit.retired_at = clock.now()
        unit.save()
        self.stdout.write(_("已停用设备 %(id)s（%(unit)s）") % {"id": unit.pk, "unit": unit})
        standing = Installation.objects.filter(unit=unit, removed_on=None)
        for record in standing.select_related("household"):
            record.removed_on = max(clock.today(), record.installed_on)
            record.save()
            told = {"home": record.household, "day": record.removed_on}
            self.stdout.write(_("户 %(home)s 的安装记录止于 %(day)s") % told)


def _add_line(parser: CommandParser) -> None:
    parser.add_argument("--url", required=True, help="serial://, tcp://, mbap:// or dial://")
    parser.add_argument("--address", type=int, required=True, help="the unit's on its line")
    parser.add_argument("--module", type=int)
    parser.add_argument("--line-worker", default="", help="who polls a new line (main)")
    parser.add_argument("--trusted", action="store_true", help="the line may be written to")


def _add_product(parser: CommandParser) -> None:
    parser.add_argument("--map", type=Path, required=True, help="register-map file")
    for name in ("--supplier", "--model"):
        parser.add_argument(name, default="", help="where it is not what the map says")
    parser.add_argument("--device-name", default="", help="the product's name")
    parser.add_argument("--kind", default="", choices=mapcolumns.KINDS)
    parser.add_argument("--medium", default="", choices=Medium.values)
    parser.add_argument("--network-address", type=int, help="platform-wide, 1..65535")
    parser.add_argument("--factory-number", default="")


def _map_mistakes(file: Path, mistakes: list[Mistake]) -> str:
    head = _("点表 %(file)s 有错误（%(count)s 处），没有登记：")
    told = {"file": file.name, "count": len(mistakes)}
    return "\n".join([head % told, *map(registermap.shown, mistakes)])
