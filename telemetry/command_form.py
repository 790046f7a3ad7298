"""Setting something on a unit from its page (远程设定), and following what becomes of it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from devices.modbus.points import Scalar
from devices.models import Unit
from households import clock
from households.requests import SignedIn
from telemetry import commands, limits
from telemetry.commands import CommandRefused, Setting
from telemetry.models import Command, CommandState, Obligation, RemoteWriting
from telemetry.unit_list import household_of, seen_by, state_of

NEWS = timedelta(minutes=10)
REASONS = [
    (value, label) for value, label in Command.Reason.choices if value != Command.Reason.RESTORE
]


def command_context(request: SignedIn, unit: Unit) -> dict[str, Any]:
    """What the form shows: the settings that the map allows and the one that is chosen."""
    settings = commands.settable(unit)
    wanted = request.POST.get("signal") or request.GET.get("signal")
    chosen = next((setting for setting in settings if setting.signal == wanted), None)
    setting = chosen or (settings[0] if settings else None)
    return {
        "settings": settings,
        "setting": setting,
        "writing": RemoteWriting.newest(),
        "cold": limits.cold_outside(unit) if setting and _may_stop_heating(unit, setting) else "",
        "reasons": REASONS,
        "agreements": Command.Agreement.choices,
        "lives_there": unit.installations.filter(removed_on=None).exists(),
        "today_date": clock.today(),
        "owed": Obligation.objects.open()
        .filter(unit=unit)
        .select_related("unit__model", "unit__register_map"),
        "newest_command": _news(request, unit),
    }


def _may_stop_heating(unit: Unit, setting: Setting) -> bool:
    """Whether some value of this setting leaves the house without heat."""
    values = [value for value, _label in setting.choices] or [setting.min]
    return any(limits.stops_heating(unit, setting.signal, value) for value in values)


def _news(request: SignedIn, unit: Unit) -> Command | None:
    """What waits for the asker's agreement, else his newest command while it is news; the history
    has the older ones."""
    waiting = unit.commands.filter(state=CommandState.AWAITING, expires_at__gt=clock.now())
    for command in waiting:
        if commands.may_approve(command, request.user):
            return command
    since = clock.now() - NEWS
    return unit.commands.filter(requested_by=request.user, requested_at__gt=since).first()


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def command_form(request: SignedIn, pk: int) -> HttpResponse:
    """The form for one setting; posted, the wish becomes a command or the reasons why not."""
    unit = get_object_or_404(seen_by(request), pk=pk)
    context = {"unit": unit, "state": state_of(unit)} | command_context(request, unit)
    if request.method == "GET":
        return render(request, "telemetry/parts/command.html", context)
    _may_command(request)
    try:
        command = _ask(request, unit, context["setting"])
    except CommandRefused as refused:
        mistakes = {"mistakes": refused.messages}
        return render(request, "telemetry/parts/outcome.html", mistakes, status=422)
    return _outcome(request, command)


def _outcome(request: SignedIn, command: Command) -> HttpResponse:
    """Where the command stands; the event tells the page's other parts to ask again."""
    response = render(request, "telemetry/parts/outcome.html", {"command": command})
    response["HX-Trigger"] = "command-changed"
    return response


def _may_command(request: SignedIn) -> None:
    if not request.user.may_command:
        raise PermissionDenied(_("您的角色不能远程设定；请联系镇（街道）或平台服务单位"))


def _ask(request: SignedIn, unit: Unit, setting: Setting | None) -> Command:
    if setting is None or setting.signal != request.POST.get("signal"):
        raise CommandRefused([_("请选择要设定的项目")])
    said = request.POST
    agreement = said.get("agreement", "")
    return commands.request(
        unit,
        setting.signal,
        target_of(setting, said.get("target", "")),
        by=request.user,
        reason=said.get("reason", ""),
        agreement=agreement,
        agreed_on=day_of(said.get("agreed_on", "")) if agreement else None,
        present="present" in said,
    )


def day_of(text: str) -> date | None:
    """The day as a form sends it; None for none and a wrong one."""
    try:
        return parse_date(text)
    except ValueError:  # well formed, and no day of any month
        return None


def target_of(setting: Setting, text: str) -> Scalar:
    """The value as typed, in the kind that the setting takes; commands.request judges it."""
    if setting.kind == "action":
        return True
    if setting.kind == "choice":
        by_text = {str(value): value for value, _label in setting.choices}
        if text not in by_text:
            raise CommandRefused([_("请选择目标值")])
        return by_text[text]
    try:
        return float(text.strip().replace("−", "-").replace(",", "."))
    except ValueError:
        raise CommandRefused([_("目标值“%(text)s”不是数字") % {"text": text}]) from None


@login_required
@never_cache
@require_safe
def command_outcome(request: SignedIn, pk: str) -> HttpResponse:
    """What became of a command; nothing new (204) while it stands as the asker has seen it."""
    command = get_object_or_404(_seen_commands(request), pk=pk)
    if request.GET.get("seen") == command.state:
        return HttpResponse(status=204)
    return _outcome(request, command)


@login_required
@require_POST
def cancel_command(request: SignedIn, pk: str) -> HttpResponse:
    """Take a waiting command back."""
    command = get_object_or_404(_seen_commands(request), pk=pk)
    _may_command(request)
    commands.cancel(command, request.user)
    command.refresh_from_db()
    return _outcome(request, command)


@login_required
@require_POST
def approve_command(request: SignedIn, pk: str) -> HttpResponse:
    """The second person agrees to what would stop a house's heating in the cold."""
    command = get_object_or_404(_seen_commands(request), pk=pk)
    _may_command(request)
    try:
        commands.approve(command, request.user)
    except CommandRefused as refused:
        mistakes = {"mistakes": refused.messages}
        return render(request, "telemetry/parts/outcome.html", mistakes, status=422)
    command.refresh_from_db()
    if request.htmx:
        return _outcome(request, command)
    return redirect("awaiting_commands")


@login_required
@never_cache
@require_safe
def awaiting_commands(request: SignedIn) -> HttpResponse:
    """What waits for a second person, of all units that the asker sees."""
    rows = _seen_commands(request).filter(state=CommandState.AWAITING, expires_at__gt=clock.now())
    rows = rows.select_related("requested_by__area", "unit__model", "unit__register_map")
    units = seen_by(request).in_bulk(row.unit_id for row in rows)
    lines = [(row, household_of(units[row.unit_id])) for row in rows.order_by("requested_at")]
    return render(request, "telemetry/awaiting.html", {"lines": lines})


def _seen_commands(request: SignedIn) -> QuerySet[Command]:
    rows = Command.objects.filter(unit__in=Unit.objects.visible_to(request.user).values("pk"))
    return rows.select_related("unit__model", "unit__register_map", "unit__gateway")
