"""What the database refuses of accounts and sign-ins (see test_constraints)."""

from __future__ import annotations

from households.models import BackupCode, Role, RoleRule, User
from tests.cast import Cast
from tests.constraints import Case


def rule(**fields: object) -> Case:
    return lambda cast: RoleRule.objects.create(**{"role": Role.TOWN} | fields)


def keeper(**permissions: bool) -> Case:
    return lambda cast: User.objects.filter(pk=cast.town_officer.pk).update(**permissions)


def one_code_twice(cast: Cast) -> object:
    return [BackupCode.objects.create(user=cast.clerk, digest="a" * 64) for _n in range(2)]


CASES: list[tuple[str, Case]] = [
    ("user_keeper_is_administrator", keeper(keeps_accounts=True)),
    ("user_keeper_is_administrator", keeper(keeps_rights=True)),
    ("user_keeper_is_administrator", keeper(keeps_log=True)),
    ("role_rule_role_known", rule(role="king")),
    ("role_rule_idle_range", rule(idle_minutes=4)),
    ("role_rule_idle_range", rule(idle_minutes=721)),
    ("backup_code_once_per_user", one_code_twice),
]
