"""The list of alarms (告警), and how somebody takes one over."""

from __future__ import annotations

from collections.abc import Iterator

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from households import lists, personal_numbers
from households.requests import SignedIn
from telemetry.alarm_rows import (
    ALL,
    GRAVITY,
    OPEN,
    STATES,
    AlarmFilter,
    Row,
    alarms_of,
    in_state,
    rows_of,
)
from telemetry.models import Alarm
from telemetry.unit_list import written

SORTS: dict[str, lists.Column] = {
    "raised_at": "raised_at",
    "severity": GRAVITY,
    "kind": "kind",
    "place": "place_order",
    "seen_at": "seen_at",
}
SUGGESTIONS = (
    _lazy("已联系住户"),
    _lazy("已通知供应商"),
    _lazy("已派人现场查看"),
    _lazy("已联系供电公司，等待来电"),
)


class NoteForm(forms.Form):
    """What is being done about an alarm."""

    note = forms.CharField(
        label=_lazy("处理说明"),
        max_length=200,
        validators=[personal_numbers.none_in],
        error_messages={"required": _lazy("请写明怎么处理、由谁处理")},
    )


@login_required
@never_cache
@require_safe
def alarms(request: SignedIn) -> HttpResponseBase:
    """Alarms by page, the gravest first and of these the oldest; the open ones unless others are
    asked for. `?export=csv` hands out all that are filtered."""
    filters = AlarmFilter(request.GET, alarms_of(request.user), request=request)
    rows, sort = lists.in_order(filters.qs, request.GET.get("sort", ""), SORTS, "severity")
    if request.GET.get("export") == "csv":
        return lists.csv_of(_("告警"), _head(), _csv_rows(rows, request))
    page = lists.page_of(rows, request)
    context = {
        "filters": filters,
        "page": page,
        "rows": rows_of(page, request.user),
        "sort": sort,
        "chips": _chips(request, filters),
        "suggestions": SUGGESTIONS,
        "narrowed": any(key not in ("page", "sort") for key in request.GET),
    }
    return render(request, "telemetry/alarms.html", context)


def _chips(request: SignedIn, filters: AlarmFilter) -> list[lists.Chip]:
    """All other conditions kept: what is not over, its two states, what is over, and all."""
    others = {key: value for key, value in request.GET.items() if key != "state"}
    rows = AlarmFilter(others | {"state": ALL}, filters.queryset, request=request).qs
    chosen = filters.form.cleaned_data.get("state") or OPEN
    named = [
        ("", _("未消除"), "", OPEN),
        *((name, str(label), shape, name) for name, (shape, label) in STATES.items()),
        (ALL, _("全部"), "", ALL),
    ]
    return [
        lists.Chip(value, label, shape, in_state(rows, state).count(), state == chosen)
        for value, label, shape, state in named
    ]


def _head() -> list[str]:
    return [
        _("级别"),
        _("告警类别"),
        _("告警"),
        _("位置"),
        _("首次发现"),
        _("发生时间"),
        _("消除时间"),
        _("状态"),
        _("确认人"),
        _("确认时间"),
        _("处理说明"),
    ]


def _csv_rows(rows: QuerySet[Alarm], request: SignedIn) -> Iterator[list[object]]:
    for start in range(0, rows.count(), 500):
        for row in rows_of(rows[start : start + 500], request.user):
            alarm = row.alarm
            yield [
                alarm.get_severity_display(),
                row.kind,
                row.sentence,
                row.place,
                written(alarm.seen_at),
                written(alarm.raised_at),
                written(alarm.cleared_at),
                row.state_label,
                _who(alarm),
                written(alarm.acknowledged_at),
                alarm.note,
            ]


def _who(alarm: Alarm) -> str:
    by = alarm.acknowledged_by
    return f"{by.office} {by}" if by else ""


@login_required
@require_POST
def acknowledge_alarm(request: SignedIn, pk: int) -> HttpResponse:
    """Say who takes care of the alarm and how; htmx gets its row back, a browser the list."""
    alarm = get_object_or_404(alarms_of(request.user), pk=pk)
    if not request.user.may_acknowledge:
        raise PermissionDenied(_("您的角色不能确认告警；请联系镇（街道）或平台服务单位"))
    form = NoteForm(request.POST)
    if form.is_valid() and not alarm.acknowledge(request.user, form.cleaned_data["note"]):
        form.add_error(None, why_not(alarm))
    if not request.htmx:
        _tell(request, form)
        return redirect("alarms")
    (row,) = rows_of([alarms_of(request.user).get(pk=pk)], request.user)
    return _row(request, row, form)


def why_not(alarm: Alarm) -> str:
    """Why an alarm cannot be acknowledged any more."""
    if alarm.acknowledged_at:
        return _("已由 %(who)s 确认") % {"who": _who(alarm)}
    return _("告警已消除，不用确认")


def _tell(request: SignedIn, form: NoteForm) -> None:
    if form.is_valid():
        messages.success(request, _("已确认"))
    for mistakes in form.errors.values():
        messages.error(request, "；".join(map(str, mistakes)))


def _row(request: SignedIn, row: Row, form: NoteForm) -> HttpResponse:
    context = {"row": row, "form": form, "suggestions": SUGGESTIONS}
    code = 200 if form.is_valid() else 422
    return render(request, "telemetry/parts/alarm.html", context, status=code)
