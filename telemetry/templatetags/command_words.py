"""How commands and settings are put into words."""

from django import template
from django.utils.translation import gettext as _

from households import clock
from households.models import User
from telemetry import commands, points
from telemetry.commands import Setting
from telemetry.latest import form_of
from telemetry.models import Command, CommandState, GroupCommand, Obligation

register = template.Library()


@register.filter
def current(setting: Setting) -> str:
    """The value that the unit said last, with its unit."""
    if setting.current is None:
        return _("未读到")
    return f"{points.show(setting.signal, setting.current)} {setting.unit}".strip()


@register.filter
def short(setting: Setting) -> str:
    """The name on the chip: what is set, without saying again that it is set."""
    air = setting.label == points.label(setting.signal, "air")
    names = {
        "supply_temp_setpoint": _("送风温度") if air else _("供水温度"),
        "return_temp_setpoint": _("回风温度") if air else _("回水温度"),
        "power_state": _("开关机"),
    }
    return names.get(setting.signal, setting.label)


@register.filter
def first_target(setting: Setting) -> str:
    """What the field starts with: the value in force, or the lowest that is allowed."""
    start = setting.current if isinstance(setting.current, int | float) else setting.min
    return "" if start is None else f"{start:g}"


@register.filter
def limits(setting: Setting) -> str:
    """Range and step as a hint under the field."""
    parts = []
    if setting.min is not None and setting.max is not None:
        span = {"min": f"{setting.min:g}", "max": f"{setting.max:g}", "unit": setting.unit}
        parts.append(_("允许 %(min)s 至 %(max)s %(unit)s") % span)
    if setting.step:
        parts.append(_("步长 %(step)g") % {"step": setting.step})
    return _("，").join(parts)


@register.filter
def what(command: Command | Obligation) -> str:
    return points.label(command.signal, command.unit.model.medium)


@register.filter
def former(owed: Obligation) -> str:
    """The value to put back, with its unit."""
    return f"{_value(owed, owed.former)} {_unit(owed)}".strip()


@register.filter
def group_what(group: GroupCommand) -> str:
    return points.label(group.signal, group.model.medium if group.model else "water")


@register.filter
def group_target(group: GroupCommand) -> str:
    """The value of a group, with °C where it is a temperature."""
    unit = " °C" if group.signal.endswith("_setpoint") else ""
    return points.show(group.signal, group.target) + unit


@register.filter
def change(command: Command) -> str:
    """20 → 21 °C; a reset has no value."""
    if command.signal == "alarm_reset":
        return "—"
    before, target = (_value(command, value) for value in (command.before, command.target))
    return f"{before} → {target} {_unit(command)}".strip()


@register.filter
def proof(command: Command) -> str:
    """What was read back, or why there is no proof."""
    read = ""
    if command.read_back is not None and command.signal != "alarm_reset":
        read = f"{_value(command, command.read_back)} {_unit(command)}".strip()
    return _("，").join(part for part in (read, command.detail) if part) or "—"


@register.filter
def outcome(command: Command) -> str:
    """One sentence on how it stands, beside the button."""
    if command.state == CommandState.AWAITING:
        until = {"why": command.detail, "time": _time(command.expires_at)}
        return _("%(why)s。请另一位有权限的人员在 %(time)s 前同意。") % until
    if command.state == CommandState.QUEUED:
        return _waiting(command)
    if command.state == CommandState.SENDING:
        since = {"time": _time(command.sending_since)}
        return _("%(time)s 开始写入，等待回读。回读一致才算完成。") % since
    when = _("%(time)s 结束") % {"time": _time(command.finished_at)}
    said = proof(command)
    return when if said == "—" else when + _("：") + said


def _waiting(command: Command) -> str:
    """Why a queued command waits, and until when it may."""
    kept = command.not_before and command.not_before > clock.now()
    why = _("等待采集进程取走")
    if kept:
        held = {"why": command.detail or _("群组命令错峰"), "time": _time(command.not_before)}
        why = _("%(why)s，最早 %(time)s 写入") % held
    if command.expires_at is None:
        return why + _("，恢复原值不会过期。")
    return why + _("，%(time)s 前有效。") % {"time": _time(command.expires_at)}


@register.filter
def waits_for(command: Command, user: User) -> bool:
    """Whether this person may be the second one who agrees."""
    return commands.may_approve(command, user)


@register.simple_tag
def waiting_for(user: User) -> int:
    """How many commands this person may agree to."""
    if not user.may_command:
        return 0
    rows = Command.objects.visible_to(user).filter(state=CommandState.AWAITING)
    return rows.exclude(requested_by=user).filter(expires_at__gt=clock.now()).count()


@register.filter
def note_class(command: Command) -> str:
    """Ground of the note: only a verified command is green."""
    return {"st-ok": "ok", "st-bad": "bad", "st-unk": "unk"}.get(command.shape, "")


def _value(command: Command | Obligation, value: object) -> str:
    digits = form_of(command.unit.register_map).digits.get(command.signal)
    return points.show(command.signal, value, digits)


def _unit(command: Command | Obligation) -> str:
    return form_of(command.unit.register_map).units.get(command.signal, "")


def _time(moment: object) -> str:
    return f"{moment.astimezone(clock.SHANGHAI):%H:%M:%S}" if moment else "—"  # type: ignore[attr-defined]
