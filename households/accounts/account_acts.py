"""What the keepers of accounts and of rights do to an account.

Each act ends the sign-ins that it makes wrong. Nobody changes his own rights or disables himself,
and each of the three permissions (accounts, rights, log) stays with at least one account in use.
"""

from __future__ import annotations

from typing import Any

from axes.models import AccessAttempt
from axes.utils import reset
from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from households import clock
from households.accounts import passwords, second_factor
from households.models import Area, Role, User
from households.models.accounts import WHOLE_DISTRICT

PERMISSION_WORDS = {
    "keeps_accounts": _lazy("账号管理（系统管理员）"),
    "keeps_rights": _lazy("权限管理（安全管理员）"),
    "keeps_log": _lazy("日志管理（审计管理员）"),
}
PERMISSIONS = tuple(PERMISSION_WORDS)
LEVELS = {Role.CLERK: Area.Level.VILLAGE, Role.TOWN: Area.Level.TOWN}


class Refused(Exception):
    """An act that would do harm; the text says which and what to do instead."""


def create(username: str, name: str, role: Role, area: Area | None = None) -> tuple[User, str]:
    """A new account and its initial password, which is shown this once."""
    password = passwords.initial()
    account = User(username=username, name=name, role=role, area=area, must_change_password=True)
    account.set_password(password)
    account.save()
    return account, password


def reset_password(account: User, by: User) -> str:
    """A new initial password instead of the old one; all sign-ins end and a lock-out is lifted."""
    _gains_nothing(by, account)
    password = passwords.initial()
    account.set_password(password)
    account.must_change_password = True
    account.save(update_fields=["password", "must_change_password"])
    account.sign_ins.end()
    unlock(account)
    return password


def remove_second_factor(account: User, by: User) -> None:
    """For a lost phone, when the backup codes are lost too; all sign-ins end."""
    _gains_nothing(by, account)
    second_factor.remove(account)
    account.sign_ins.end()


def disable(account: User, by: User) -> None:
    """No signing in and no token any more; what the account did stays on record."""
    if account.pk == by.pk:
        raise Refused(_("不能停用自己的账号，请另一位管理员办理。"))
    with transaction.atomic():
        _one_keeper_after_another()
        account.is_active = False
        account.save(update_fields=["is_active"])
        _keepers_remain([held for held in PERMISSIONS if getattr(account, held)])
        account.sign_ins.end()


def enable(account: User) -> None:
    """Let the account sign in again."""
    account.is_active = True
    account.save(update_fields=["is_active"])


def unlock(account: User) -> None:
    """The person may try again at once, wherever the account was locked."""
    reset(username=account.username)


def locked_usernames() -> set[str]:
    """Accounts that are locked somewhere now, by too many wrong passwords or codes."""
    since = clock.now() - settings.AXES_COOLOFF_TIME
    failures = AccessAttempt.objects.filter(attempt_time__gt=since)
    failures = failures.values("username", "ip_address").annotate(n=Sum("failures_since_start"))
    locked = failures.filter(n__gte=settings.AXES_FAILURE_LIMIT)
    return set(locked.values_list("username", flat=True))


def set_rights(account: User, by: User, role: Role, area: Area | None, **kept: bool) -> None:
    """Another role, area or set of permissions; a change ends the account's sign-ins."""
    before, held = _rights(account), [one for one in PERMISSIONS if getattr(account, one)]
    account.role, account.area = role, area
    for permission in PERMISSIONS:
        setattr(account, permission, role == Role.ADMINISTRATOR and kept.get(permission, False))
    if _rights(account) == before:
        return
    if account.pk == by.pk:
        raise Refused(_("不能改自己的角色和权限，请另一位管理员办理。"))
    with transaction.atomic():
        _one_keeper_after_another()
        account.save(update_fields=["role", "area", *PERMISSIONS])
        _keepers_remain(held)
        account.sign_ins.end()


def wrong_area(role: str, area: Area | None) -> str:
    """What is wrong with this area for this role, in words; empty if it fits."""
    if role in LEVELS and (area is None or area.level != LEVELS[Role(role)]):
        level = _("村（社区）") if role == Role.CLERK else _("镇（街道）")
        return _("请选择一个%(level)s。") % {"level": level}
    if role in WHOLE_DISTRICT and area is not None:
        return _("这个角色负责全区，不选区域。")
    return ""


def _gains_nothing(by: User, account: User) -> None:
    """Whoever hands out the password of an account could sign in as it: a keeper of accounts must
    not become keeper of rights or of the log that way."""
    lacking = [one for one in PERMISSIONS if getattr(account, one) and not getattr(by, one)]
    if lacking:
        held = _("、").join(str(PERMISSION_WORDS[one]) for one in lacking)
        raise Refused(
            _("这个账号负责“%(held)s”，请由同样负责这项工作的管理员办理，或者在服务器上重设密码。")
            % {"held": held}
        )


def _rights(account: User) -> tuple[Any, ...]:
    area = account.area_id
    return (account.role, area, *(getattr(account, permission) for permission in PERMISSIONS))


def _one_keeper_after_another() -> None:
    """Two who disable each other at the same moment would leave nobody."""
    keepers = User.objects.filter(role=Role.ADMINISTRATOR).select_for_update().order_by("pk")
    list(keepers.values_list("pk", flat=True))


def _keepers_remain(held: list[str]) -> None:
    """Of the permissions that an account held, each is still in somebody's hands."""
    for permission in held:
        if not User.objects.filter(is_active=True, **{permission: True}).exists():
            name = {"name": PERMISSION_WORDS[permission]}
            raise Refused(_("至少要有一个在用账号负责“%(name)s”，请先交给别人。") % name)
