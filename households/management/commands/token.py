"""`token issue | list | revoke`: keys for programs that use the API."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from households import clock
from households.models import ApiToken, User

LONGEST_DAYS = 366


class Command(BaseCommand):
    """A token sees and may do what its account may, within its scopes."""

    help = "Issue, list and revoke the tokens by which programs use the API."

    def add_arguments(self, parser: CommandParser) -> None:
        kinds = parser.add_subparsers(dest="what", required=True)
        issue = kinds.add_parser("issue", help="prints the new token, this once")
        issue.add_argument("username", help="the account that the token acts for")
        issue.add_argument("--name", required=True, help="which program it is for")
        issue.add_argument(
            "--scope",
            required=True,
            nargs="+",
            choices=ApiToken.SCOPES,
            dest="scopes",
            metavar="SCOPE",
            help=" ".join(ApiToken.SCOPES),
        )
        issue.add_argument("--days", type=_days, default=90, help="how long it is valid")
        kinds.add_parser("list", help="all tokens: number, account, name, scopes, validity")
        revoke = kinds.add_parser("revoke", help="from now on the token opens nothing")
        revoke.add_argument("number", type=int, help="as `token list` shows it")

    def handle(self, *args: object, **options: Any) -> None:
        work = {"issue": self._issue, "list": self._list, "revoke": self._revoke}
        work[options["what"]](options)

    def _issue(self, options: dict[str, Any]) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(_("没有账号 %(name)s") % {"name": options["username"]})
        if not user.is_active:
            raise CommandError(_("账号 %(name)s 已停用") % {"name": options["username"]})
        name = options["name"].strip()
        if not 1 <= len(name) <= 60:
            raise CommandError(_("名称应为 1～60 个字"))
        token, secret = ApiToken.issue(user, name, options["scopes"], options["days"])
        self.stderr.write(
            _("令牌 %(number)s 有效期至 %(until)s；只显示这一次，请妥善保存：")
            % {"number": token.pk, "until": _day(token)}
        )
        self.stdout.write(secret)

    def _list(self, options: dict[str, Any]) -> None:
        for token in ApiToken.objects.select_related("user").order_by("pk"):
            words = (token.user.username, token.name, " ".join(token.scopes), _standing(token))
            self.stdout.write("\t".join((str(token.pk), *words)))

    def _revoke(self, options: dict[str, Any]) -> None:
        number = {"number": options["number"]}
        tokens = ApiToken.objects.filter(pk=options["number"])
        if tokens.filter(revoked_at=None).update(revoked_at=clock.now()):
            self.stdout.write(_("令牌 %(number)s 已吊销") % number)
        elif tokens.exists():
            raise CommandError(_("令牌 %(number)s 早已吊销") % number)
        else:
            raise CommandError(_("没有令牌 %(number)s；用 token list 查看") % number)


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= LONGEST_DAYS:
        raise argparse.ArgumentTypeError(_("应为 1～%(most)d 天") % {"most": LONGEST_DAYS})
    return int(text)


def _day(token: ApiToken) -> str:
    return f"{token.expires_at.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M}"


def _standing(token: ApiToken) -> str:
    if token.revoked_at is not None:
        return _("已吊销")
    if not token.user.is_active:
        return _("账号已停用")
    if not token.is_valid:
        return _("已过期")
    return _("有效期至 %(until)s") % {"until": _day(token)}
