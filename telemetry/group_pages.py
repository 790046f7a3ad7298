"""Pages of group commands (群组命令): choose, look at who would take part, confirm step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.contrib.auth.decorators import login_required
from django.db.models import Model
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from devices.models import DeviceModel, Unit
from households import clock
from households.models import Area
from households.requests import SignedIn
from telemetry import commands, groups
from telemetry.command_form import day_of, target_of
from telemetry.commands import Setting
from telemetry.latest import value_of
from telemetry.limits import AGREED_BY_NATURE, CommandRefused
from telemetry.models import Command, GroupCommand
from telemetry.unit_list import household_of, seen_by, state_of

REASONS = [
    (reason.value, reason.label)
    for reason in (Command.Reason.FROST, Command.Reason.USER, Command.Reason.SERVICE)
]
Thing = TypeVar("Thing", bound=Model)


@dataclass(frozen=True)
class Row:
    """One unit on the page of a group: its value before its turn, and what became of it, or why
    it is left out."""

    unit: Unit
    command: Command | None = None
    now: str = ""
    why: str = ""

    @property
    def household(self) -> object:
        return household_of(self.unit)


def _check(request: SignedIn) -> None:
    """Who may give no group commands is not told that there are any."""
    if not groups.allowed(request.user):
        raise Http404


@login_required
@never_cache
@require_safe
def group_list(request: SignedIn) -> HttpResponse:
    """The group commands so far, newest first."""
    _check(request)
    rows = GroupCommand.objects.select_related("area", "model", "requested_by__area")[:50]
    return render(request, "telemetry/groups.html", {"groups": rows})


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def new_group(request: SignedIn) -> HttpResponse:
    """The form of a new one; posted, it becomes a preview, and nothing is sent."""
    _check(request)
    context = _form(request)
    if request.method == "POST":
        try:
            return redirect("group", _previewed(request, context).pk)
        except CommandRefused as refused:
            context["mistakes"] = refused.messages
    status = 422 if context.get("mistakes") else 200
    return render(request, "telemetry/new_group.html", context, status=status)


def _form(request: SignedIn) -> dict[str, Any]:
    said = request.POST or request.GET
    models = DeviceModel.objects.filter(units__retired_at=None).distinct()
    model = _among(list(models), said.get("model"))
    settings = _settings(model)
    setting = next((one for one in settings if one.signal == said.get("signal")), None)
    return {
        "models": models,
        "model": model,
        "settings": settings,
        "setting": setting or (settings[0] if settings else None),
        "areas": Area.objects.select_related("owner").by_town(),
        "reasons": REASONS,
        "agreements": Command.Agreement.choices,
        "today_date": clock.today(),
        "said": said,
    }


def _among(things: Sequence[Thing], pk: object) -> Thing | None:
    return next((thing for thing in things if str(thing.pk) == pk), None)


def _settings(model: DeviceModel | None) -> list[Setting]:
    """What the units of a model let one set, by the map of the newest of them."""
    units = Unit.objects.filter(model=model, retired_at=None) if model else Unit.objects.none()
    example = units.select_related("register_map", "model").order_by("-register_map__version")
    first = example.first()
    found = commands.settable(first) if first else []
    return [setting for setting in found if setting.kind != "action"]


def _previewed(request: SignedIn, context: dict[str, Any]) -> GroupCommand:
    said, setting = request.POST, context["setting"]
    area = _among(list(context["areas"]), said.get("area"))
    if setting is None or area is None:
        raise CommandRefused([_("请选择型号、项目和区域")])
    reason, agreement = said.get("reason", ""), said.get("agreement", "")
    if reason not in dict(REASONS):
        raise CommandRefused([_("请选择原因")])
    if not agreement and reason not in AGREED_BY_NATURE:
        raise CommandRefused([_("请登记住户同意（方式和日期）；只有防冻和测试不需要")])
    wish = groups.GroupWish(
        signal=setting.signal,
        target=target_of(setting, said.get("target", "")),
        area=area,
        model=context["model"],
        reason=reason,
        agreement=agreement,
        agreed_on=day_of(said.get("agreed_on", "")) if agreement else None,
        note=said.get("note", "")[:200],
    )
    return groups.preview(wish, request.user)


@login_required
@never_cache
@require_safe
def group(request: SignedIn, pk: int) -> HttpResponse:
    """One group command: who takes part, how far it is, unit by unit what became of it."""
    _check(request)
    thing = get_object_or_404(GroupCommand.objects.select_related("area", "model"), pk=pk)
    groups.look_after()
    thing.refresh_from_db()
    return render(request, "telemetry/group.html", _shown(request, thing))


def _shown(request: SignedIn, thing: GroupCommand) -> dict[str, Any]:
    left_out = dict(thing.left_out)
    rows = seen_by(request).filter(pk__in=[*thing.units, *left_out]).in_bulk()
    members = {row.unit_id: row for row in thing.members.select_related("unit__register_map")}
    step = groups.next_step(thing)
    ended = [row for row in members.values() if not row.is_open]
    return {
        "group": thing,
        "step": step,
        "step_number": groups.STEPS.index(step) + 1 if step else 0,
        "step_count": len(groups.turns(thing, step)) if step else 0,
        "rows": [
            Row(rows[pk], members.get(pk), _now(thing, rows[pk]))
            for pk in thing.units
            if pk in rows and pk not in left_out
        ],
        "left_out": [Row(rows[pk], why=why) for pk, why in left_out.items() if pk in rows],
        "verified": sum(row.shape == "st-ok" for row in ended),
        "failed": sum(row.state in groups.FAILURES for row in ended),
        "open": len(members) - len(ended),
        "is_running": thing.stage in groups.RUNNING,
    }


def _now(thing: GroupCommand, unit: Unit) -> str:
    return value_of(unit, state_of(unit), thing.signal).text


@login_required
@require_POST
def confirm_group(request: SignedIn, pk: int) -> HttpResponse:
    """Go on to the step that the page showed."""
    _check(request)
    thing = get_object_or_404(GroupCommand, pk=pk)
    try:
        groups.confirm(thing, groups.Stage(request.POST.get("step", "")), request.user)
    except ValueError:
        raise Http404 from None
    except CommandRefused as refused:
        context = _shown(request, thing) | {"mistakes": refused.messages}
        return render(request, "telemetry/group.html", context, status=422)
    return redirect("group", pk)


@login_required
@require_POST
def stop_group(request: SignedIn, pk: int) -> HttpResponse:
    """Take back what has not gone out yet."""
    _check(request)
    thing = get_object_or_404(GroupCommand, pk=pk)
    groups.stop(thing, groups.Stage.CANCELLED, _("由 %(who)s 停止") % {"who": request.user})
    return redirect("group", pk)
