"""`transmitter list | secret | confirm | change`: what dials in for a gateway, and its proof."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from devices import transmitters
from devices.modbus.registration import key
from devices.models import Gateway, Transmitter
from households import clock
from households.models import User


class Command(BaseCommand):
    help = (
        "Transmitters that dial in: list them, give one a private registration text (secret), "
        "confirm its identity (confirm), record another transmitter or card (change)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        kinds = parser.add_subparsers(dest="what", required=True)
        kinds.add_parser("list", help="all of them, with their cards and what they lack")
        secret = kinds.add_parser("secret", help="prints the new text, this once")
        confirm = kinds.add_parser("confirm", help="its identity was confirmed on site")
        change = kinds.add_parser("change", help="another transmitter, or another card in it")
        for kind in (secret, confirm, change):
            kind.add_argument("id", help="with which it registers")
        change.add_argument("--identity", help="the id of the new one")
        for name in ("--imei", "--iccid", "--number", "--why"):
            change.add_argument(name)
        change.add_argument("--by", help="the account of who did it")

    def handle(self, *args: object, **options: Any) -> None:
        getattr(self, f"_{options['what']}")(options)

    def _list(self, options: dict[str, Any]) -> None:
        for gateway in Gateway.objects.filter(kind=Gateway.Kind.DIAL).prefetch_related(
            "transmitters"
        ):
            rows = gateway.transmitters.all()
            card = _card(rows[0]) if rows else ""
            words = (gateway.transmitter, card, gateway.why_read_only or _("可远程设定"))
            self.stdout.write("  ".join(filter(None, words)))

    def _secret(self, options: dict[str, Any]) -> None:
        gateway = _gateway(options["id"])
        text = gateway.new_secret()
        self.stderr.write(
            _("请把传输装置 %(id)s 的注册包设为下面的专用注册码；只显示这一次：")
            % {"id": gateway.transmitter}
        )
        self.stdout.write(text)

    def _confirm(self, options: dict[str, Any]) -> None:
        gateway = _gateway(options["id"])
        gateway.trusted = True
        gateway.save(update_fields=["trusted"])
        self.stdout.write(gateway.why_read_only or _("可远程设定"))

    def _change(self, options: dict[str, Any]) -> None:
        by = None
        if options["by"]:
            by = User.objects.filter(username=options["by"]).first()
            if by is None:
                raise CommandError(_("没有账号 %(name)s") % {"name": options["by"]})
        said = {name: options[name] for name in ("identity", "imei", "iccid", "number")}
        if not any(said.values()):
            raise CommandError(_("没有写明换了什么：--identity、--imei、--iccid 或 --number"))
        try:
            row = transmitters.change(
                _gateway(options["id"]), by=by, why=options["why"] or "", **said
            )
        except transmitters.NotChanged as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"{row.identity}  {_card(row)}".rstrip())
        self.stdout.write(row.gateway.why_read_only or _("可远程设定"))


def _card(row: Transmitter) -> str:
    since = f"{row.since.astimezone(clock.SHANGHAI):%Y-%m-%d}"
    parts = {"IMEI": row.imei, "ICCID": row.iccid, _("号码"): row.number}
    told = "  ".join(f"{name} {value}" for name, value in parts.items() if value)
    return _("%(card)s（%(day)s 起）") % {"card": told, "day": since} if told else ""


def _gateway(identity: str) -> Gateway:
    for gateway in Gateway.objects.filter(kind=Gateway.Kind.DIAL):
        if key(gateway.transmitter) == key(identity):
            return gateway
    raise CommandError(_("没有登记传输装置 %(id)s：用 transmitter list 查看") % {"id": identity})
