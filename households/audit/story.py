"""The history of records in words: who changed what, from what to what, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Q
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from households import clock
from households.models import Change, ChangeKind, FormerNumber, Household, Method, StepKind, User
from households.phones import masked
from households.sealing import SealBroken, Sealed, SealedField

A_PAGE = 20
# What says nothing to a person: keys, digests, names of files.
HIDDEN = {"id", "uid", "file", "thumbnail", "digest", "size", "content_type", "household_id"}
HIDDEN |= {"shown", "code", "number_line", "updated_at"}
HIDDEN |= {"notice_digest", "test_digest", "content", "announced_days"}
HIDDEN |= {"paper_type", "stamped_type", "report", "secret", "counter"}
# Columns of the household that say again what a step says.
OF_STEPS = {f"{kind}_on" for kind in StepKind} | {"papers_incomplete"}
LABELS: dict[str, Any] = {
    **{f"{kind}_on": kind.label for kind in StepKind},
    "withdrawn_on": _lazy("退出改造"),
    "papers_incomplete": _lazy("手续不全"),
    **dict.fromkeys(("recorded_by_id", "entered_by_id"), _lazy("录入人")),
    **dict.fromkeys(("by_id", "merged_by_id", "settled_by_id"), _lazy("经办人")),
    **dict.fromkeys(("tested_by_id", "tester_id", "started_by_id"), _lazy("测试人")),
    **dict.fromkeys(("saved_by_id", "uploaded_by_id"), _lazy("保存人")),
    **dict.fromkeys(("made_by_id", "submitted_by_id"), _lazy("提交人")),
    "added_by_id": _lazy("添加人"),
    "assigned_by_id": _lazy("分派人"),
    "created_by_id": _lazy("生成人"),
    "drafted_by_id": _lazy("起草人"),
    "signer_id": _lazy("签发人"),
    "sample_id": _lazy("样机"),
    "second_sample_id": _lazy("第二台样机"),
    "edits": _lazy("改动"),
    "secret_hash": _lazy("接入口令摘要"),
    "paper": _lazy("确认书文件"),
    "stamped": _lazy("盖章件"),
    "left": _lazy("调出的改造方式"),
    "joined": _lazy("调入的改造方式"),
    "used_since": _lazy("启用时间"),
    "known_area": _lazy("辨认用的寄存器区"),
    "known_address": _lazy("辨认用的地址"),
    "known_word": _lazy("辨认用的值"),
    "last_used_at": _lazy("最近使用"),
    "imei": "IMEI",
    "iccid": "ICCID",
    "households_household.area_id": _lazy("村（社区）"),
    "created_at": _lazy("建立时间"),
    "at": _lazy("时间"),
    "made_at": _lazy("建立时间"),
    "revoked_at": _lazy("停用时间"),
}
# Programs of the platform itself, as the database knows its sessions.
OURS = ("manage.py", "gunicorn", "celery")
EMPTY: tuple[Any, ...] = (None, "", [], {})
# Columns whose words another model has: what left and what joined the task is a method.
WORDS_OF: dict[str, dict[Any, Any]] = {key: dict(Method.choices) for key in ("left", "joined")}


@dataclass(frozen=True, slots=True)
class Line:
    """One column of a change: its label, what it said and what it says now, as shown.

    One of the two is "" where the whole row came or went.
    """

    label: str
    before: str
    after: str

    @property
    def words(self) -> str:
        """`取暖面积 86 → 120`, or `取暖面积 86` where the row came or went with it."""
        if self.before and self.after:
            return f"{self.label} {self.before} → {self.after}"
        return f"{self.label} {self.before or self.after}"


@dataclass(frozen=True, slots=True)
class Part:
    """One row that came, went or changed: of which kind, and the lines that tell how."""

    kind: str
    record: str
    lines: list[Line]

    @property
    def words(self) -> str:
        return _("；").join(line.words for line in self.lines)


@dataclass(frozen=True, slots=True)
class Event:
    """What one person did in one go; `outside` where it was not done through the platform."""

    at: datetime
    who: str
    reason: str
    outside: bool
    parts: list[Part] = field(default_factory=list)


def story(household: Household, before: int | None = None) -> tuple[list[Event], int | None]:
    """A page of what became of the household and all that belongs to it, the newest first.

    `before` is the id of a change; answers the id that the next page begins before, or None.
    """
    rows = _of(household)
    rows = rows.filter(pk__lt=before) if before else rows
    page = list(rows.order_by("-pk")[: A_PAGE + 1])
    more = page[A_PAGE - 1].pk if len(page) > A_PAGE else None
    return told(page[:A_PAGE]), more


def _of(household: Household) -> Any:
    """Changes of the household, and of those that were merged into it."""
    pks = [household.pk]
    uids = [str(uid) for uid in _merged(household)]
    if uids:
        gone = Q(table="households_household", kind=ChangeKind.DELETE, before__uid__in=uids)
        pks += Change.objects.filter(gone).values_list("row_id", flat=True)
    return Change.objects.filter(household_id__in=pks)


def _merged(household: Household) -> Iterable[Any]:
    return FormerNumber.objects.filter(household=household).values_list("uid", flat=True)


def told(changes: Sequence[Change]) -> list[Event]:
    """The changes as events, in their order; what was done in one request stands together."""
    names = _Names(changes)
    events = []
    for _key, group in groupby(changes, key=_in_one_go):
        together = list(group)
        first = together[0]
        outside = _is_outside(first)
        has_step = any(change.table == "households_step" for change in together)
        hidden = OF_STEPS if has_step and not outside else set()
        parts = [part for change in together if (part := names.part(change, hidden)).lines]
        if parts:
            events.append(Event(first.at, names.who(first), first.reason, outside, parts))
    return events


def _in_one_go(change: Change) -> tuple[object, ...]:
    """What one request did; what a program of the platform did to a household within a second;
    any change from outside stands alone."""
    once: object = change.request or change.pk
    if change.request is None and change.household_id and not _is_outside(change):
        once = (change.household_id, change.program, change.at.replace(microsecond=0))
    return once, change.user_id, change.reason


def _is_outside(change: Change) -> bool:
    return change.user_id is None and not change.program.startswith(OURS)


def record_label(table: str) -> str:
    """What a row of that table is called."""
    model = _models().get(table)
    return str(model._meta.verbose_name) if model else table


def _models() -> dict[str, Any]:
    return {model._meta.db_table: model for model in apps.get_models()}


class _Names:
    """What ids stand for, looked up once for all changes that are told."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self.models = _models()
        self.users = User.objects.select_related("area").in_bulk(
            {change.user_id for change in changes if change.user_id}
        )
        self.related = self._related(changes)
        homes = {change.row_id for change in changes if change.table == "households_household"}
        self.uids = dict(Household.objects.filter(pk__in=homes).values_list("pk", "uid"))

    def _related(self, changes: Sequence[Change]) -> dict[tuple[Any, Any], str]:
        wanted: dict[Any, set[Any]] = defaultdict(set)
        for change in changes:
            for column, value in _columns(change):
                model = getattr(
                    _field(self.models.get(change.table), column), "related_model", None
                )
                if model is not None and value is not None:
                    wanted[model].add(value)
        return {
            (model, pk): str(row)
            for model, pks in wanted.items()
            for pk, row in model._default_manager.in_bulk(pks).items()
        }

    def who(self, change: Change) -> str:
        if user := self.users.get(change.user_id):
            return f"{user.office} {user}"
        if change.user_id:
            return _("账号 %(n)d（已删除）") % {"n": change.user_id}
        if not _is_outside(change):
            return _("平台程序：%(program)s") % {"program": change.program}
        told = {"program": change.program or "—", "role": change.role}
        return _("平台之外：%(program)s（%(role)s）") % told

    def part(self, change: Change, hidden: set[str]) -> Part:
        before, after = change.before or {}, change.after or {}
        lines = [
            line
            for column in self._in_order(change.table, {*after, *before})
            if column not in HIDDEN | hidden
            and (line := self._line(change, column, before.get(column), after.get(column)))
        ]
        return Part(change.get_kind_display(), record_label(change.table), lines)

    def _in_order(self, table: str, columns: set[str]) -> list[str]:
        """As the model has them; what it does not have any more comes last."""
        model = self.models.get(table)
        known = [f.column for f in model._meta.concrete_fields] if model else []
        return [*(c for c in known if c in columns), *sorted(columns - set(known))]

    def _line(self, change: Change, column: str, before: Any, after: Any) -> Line | None:
        """None where a person sees no difference: a number sealed anew is the same number."""
        model_field = _field(self.models.get(change.table), column)
        was, now = (self._shown(change, model_field, value) for value in (before, after))
        if was == now:
            return None
        label = _label(column, model_field)
        if change.kind == ChangeKind.UPDATE:
            return Line(label, was, now)
        if before is False or after is False:
            return None  # of a whole row, only what is said
        return Line(label, was if change.before else "", now if change.after else "")

    def _shown(self, change: Change, model_field: Any, value: Any) -> str:
        if value in EMPTY or isinstance(value, dict):  # a dict is a program's, not a person's
            return "—"
        if isinstance(value, bool):
            return _("是") if value else _("否")
        if isinstance(model_field, SealedField):
            return self._opened(change, model_field, value)
        if related := getattr(model_field, "related_model", None):
            return self.related.get((related, value), f"#{value}")
        choices = dict(getattr(model_field, "flatchoices", None) or ())
        if choices := choices or WORDS_OF.get(getattr(model_field, "column", ""), {}):
            return str(choices.get(value, value))
        if getattr(model_field, "get_internal_type", str)() == "DateTimeField":
            return _local(value)
        if isinstance(value, list):
            return _("；").join(map(str, value))
        return str(value)

    def _opened(self, change: Change, model_field: SealedField, value: str) -> str:
        uid = self.uids.get(change.row_id) or (change.before or change.after or {}).get("uid")
        if uid is None:
            return _("已加密")
        try:
            label = model_field.model._meta.label_lower
            return masked(Sealed(value).opened(label, model_field.attname, uid, change.row_id))
        except SealBroken:
            return _("无法解密")


def _label(column: str, model_field: Any) -> str:
    """As the form calls it; a relation without a name of its own by what it leads to."""
    table = model_field.model._meta.db_table if model_field else ""
    given = LABELS.get(f"{table}.{column}") or LABELS.get(column)
    name = str(given or getattr(model_field, "verbose_name", column))
    related = getattr(model_field, "related_model", None)
    if related and name == column.removesuffix("_id").replace("_", " "):
        return str(related._meta.verbose_name)
    return name


def _columns(change: Change) -> Iterator[tuple[str, Any]]:
    for row in (change.before, change.after):
        yield from (row or {}).items()


def _field(model: Any, column: str) -> Any:
    if model is None:
        return None
    try:
        return model._meta.get_field(column.removesuffix("_id"))
    except FieldDoesNotExist:
        return None


def _local(text: str) -> str:
    moment = parse_datetime(text)
    return f"{moment.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M}" if moment else text
