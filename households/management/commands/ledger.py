"""`ledger check | import | export | template FILE`: the ledger's workbooks from the shell."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from households import clock
from households.audit import history
from households.ledger import checking, exporting, importing, returning, template
from households.ledger.checking import Check, Remark
from households.ledger.reading import Unreadable
from households.models import Role, User

NO_FILE = 2  # the exit code of a file that is not there; 1 is for mistakes in it


class Command(BaseCommand):
    """Without --user it acts as an account of the district office, which reaches everything."""

    help = "Check, import or export workbooks of the household ledger; write the template."

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        check = acts.add_parser("check", help="tell every mistake, store nothing; exit 1 if any")
        check.add_argument("--json", action="store_true", help="for programs")
        bring = acts.add_parser("import", help="store all rows, or none where there is a mistake")
        bring.add_argument(
            "--only-right", action="store_true", help="store the right rows where others are wrong"
        )
        bring.add_argument(
            "--again", action="store_true", help="also a file that was imported before"
        )
        bring.add_argument(
            "--returned", type=Path, metavar="FILE", help="write the wrong rows here, to be mended"
        )
        take = acts.add_parser("export", help="write the ledger as .xlsx; phones are masked")
        empty = acts.add_parser("template", help="write the workbook to fill in")
        for act in (check, bring, take, empty):
            act.add_argument("file", type=Path, metavar="FILE")
            act.add_argument("--user", metavar="NAME", help="act as this account")

    def handle(self, *args: Any, **options: Any) -> None:
        acts = {
            "check": self._check,
            "import": self._import,
            "export": self._export,
            "template": self._template,
        }
        acts[options["act"]](options["file"], self._user(options["user"]), options)

    def _user(self, name: str | None) -> User:
        if name:
            user: User | None = User.objects.filter(username=name, is_active=True).first()
            if user is None:
                told = _("没有账号 %(name)s，或已停用") % {"name": name}
                raise CommandError(told, returncode=NO_FILE)
            return user
        offices = User.objects.filter(role=Role.DISTRICT, is_active=True).order_by("pk")
        office: User | None = offices.first()
        return office or User(username="ledger", role=Role.DISTRICT)

    def _check(self, file: Path, user: User, options: dict[str, Any]) -> None:
        try:
            found = self._checked(file, user)
        except Unreadable as refused:
            if not options["json"]:
                raise CommandError(refused.sentence) from refused
            found = _unread(file, user, refused)
        if options["json"]:
            self.stdout.write(json.dumps(found.to_json(), ensure_ascii=False))
        else:
            self._tell(found)
        if found.mistakes:
            sys.exit(1)

    def _checked(self, file: Path, user: User) -> Check:
        if not file.is_file():
            raise CommandError(_("没有文件 %(file)s") % {"file": file}, returncode=NO_FILE)
        return checking.check(file, file.name, user)

    def _tell(self, found: Check) -> None:
        for remark in (*found.mistakes, *found.reminders):
            self.stdout.write(_line(remark))
        counts = {
            "rows": found.rows,
            "mistakes": len(found.mistakes),
            "reminders": len(found.reminders),
            "new": found.new,
            "changed": found.changed,
            "unchanged": found.unchanged,
        }
        self.stdout.write(
            _(
                "共 %(rows)d 行：错误 %(mistakes)d 处，提醒 %(reminders)d 处；"
                "可新增 %(new)d 行，更新 %(changed)d 行，未变化 %(unchanged)d 行"
            )
            % counts
        )

    def _import(self, file: Path, user: User, options: dict[str, Any]) -> None:
        if user.pk is None:
            raise CommandError(_("还没有区级账号：请用 --user 写明以谁的名义导入"))
        if not user.may_register:
            raise CommandError(_("导入台账由村（社区）、镇（街道）和区领导小组办公室办理。"))
        returned = options["returned"] and _target(options["returned"])
        try:
            found = self._checked(file, user)
        except Unreadable as refused:
            raise CommandError(refused.sentence) from refused
        self._refuse_a_second_time(found, options["again"])
        with history.acting(user, "manage ledger import"):
            try:
                done = importing.run(found, by=user, only_right=options["only_right"])
            except importing.ImportRefused as refused:
                for remark in refused.remarks:
                    self.stderr.write(_line(remark))
                raise CommandError(refused.sentence) from refused
        self._tell_done(done)
        if returned and done.left_out:
            count = returning.write(file, file.name, returned, found.mistakes)
            self.stdout.write(_("已退回 %(n)d 行：%(file)s") % {"n": count, "file": returned})

    def _refuse_a_second_time(self, found: Check, again: bool) -> None:
        before = importing.imported_before(found)
        if before and not again:
            at = timezone.localtime(before.at)
            told = {"at": f"{at:%Y-%m-%d %H:%M}"}
            raise CommandError(
                _("这个文件已于 %(at)s 导入过，没有再导入；确要再导入请加 --again") % told
            )

    def _tell_done(self, done: importing.Imported) -> None:
        counts = {
            "new": done.new,
            "changed": done.changed,
            "unchanged": done.unchanged,
            "installed": done.installed,
            "left_out": done.left_out,
        }
        self.stdout.write(
            _(
                "已导入：新增 %(new)d 户，更新 %(changed)d 户，未变化 %(unchanged)d 户，"
                "安装记录 %(installed)d 条；退回 %(left_out)d 行"
            )
            % counts
        )

    def _export(self, file: Path, user: User, options: dict[str, Any]) -> None:
        count = exporting.write(_target(file), user)
        self.stdout.write(_("已导出 %(n)d 户：%(file)s") % {"n": count, "file": file})

    def _template(self, file: Path, user: User, options: dict[str, Any]) -> None:
        template.write(_target(file), user)
        self.stdout.write(_("已生成模板：%(file)s") % {"file": file})


def _target(file: Path) -> Path:
    """A workbook that can be written."""
    if file.suffix.lower() != ".xlsx":
        raise CommandError(_("%(file)s：只写 .xlsx，请改文件名") % {"file": file})
    if not file.parent.is_dir():
        raise CommandError(_("没有文件夹 %(folder)s") % {"folder": file.parent})
    return file


def _unread(file: Path, user: User, refused: Unreadable) -> Check:
    """A file that cannot be read is one mistake about the whole of it."""
    whole = Remark("", None, "", "", file.name, refused.sentence)
    return Check(file.name, "", user, at=clock.now(), mistakes=[whole])


def _line(remark: Remark) -> str:
    """One remark on one line: where, what was typed, what is wrong, what to do."""
    place = [_("错误") if remark.severity == "mistake" else _("提醒"), remark.sheet]
    if remark.row:
        place.append(_("第 %(row)d 行") % {"row": remark.row})
    place.append(f"{remark.letter} {remark.column}".strip())
    typed = f"“{remark.value}”" if remark.value else ""
    said = _("；").join(filter(None, (remark.reason, remark.advice)))
    return f"{' '.join(filter(None, place))}{typed}：{said}"
