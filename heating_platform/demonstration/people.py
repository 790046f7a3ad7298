"""People of the demonstration, none of whom can be taken for a real one.

Names are a surname, 示 (as in 示例) and a cyclical character; doors lie in 示范巷, which no village
has. Phones are 0356-000nnnn: in the Chinese numbering plan a subscriber's number never begins
with 0 (the trunk prefix), so that behind Jincheng's area code 0356 nobody can answer them.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.hashers import make_password

from devices.models import Supplier, SupplierMember
from households.models import Area, Role, User

SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水"
CYCLE = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"
NAMES = len(SURNAMES) * len(CYCLE)
PASSWORD = "demo-shifan"
KEEPER = {"keeps_accounts": True, "keeps_rights": True, "keeps_log": True}  # all three in one
WATER_MAKER, AIR_MAKER = "晨暖（虚构）", "北岳（虚构）"


@dataclass(frozen=True)
class Account:
    """A demonstration sign-in; `place` is an area's name, `maker` a supplier's."""

    username: str
    name: str
    role: Role
    place: str = ""
    maker: str = ""


ACCOUNTS = (
    Account("quban", "区办示甲", Role.DISTRICT),
    Account("nancun", "南村示甲", Role.TOWN, "南村镇"),
    Account("xishangzhuang", "西上庄示甲", Role.TOWN, "西上庄街道"),
    Account("zhongjiazhuang", "钟家庄示甲", Role.TOWN, "钟家庄街道"),
    Account("dongjie", "东街示甲", Role.TOWN, "东街街道"),
    Account("nanjie", "南街示甲", Role.TOWN, "南街街道"),
    Account("dongtou", "洞头示甲", Role.CLERK, "洞头村"),
    Account("pingtai", "平台示甲", Role.SERVICE_UNIT),
    Account("qianfa", "平台示乙", Role.SERVICE_UNIT),
    Account("chennuan", "晨暖示甲", Role.SUPPLIER, maker=WATER_MAKER),
    Account("beiyue", "北岳示甲", Role.SUPPLIER, maker=AIR_MAKER),
    Account("anzhuang", "安装示甲", Role.INSTALLER, maker=WATER_MAKER),
    Account("gongre", "供热示甲", Role.HEAT_COMPANY),
    Account("zhidu", "只读示甲", Role.READER),
    Account("guanli", "管理示甲", Role.ADMINISTRATOR),
)


def name(n: int) -> str:
    """The n-th of 836 different names."""
    return f"{SURNAMES[n // len(CYCLE) % len(SURNAMES)]}示{CYCLE[n % len(CYCLE)]}"


def phone(n: int) -> str:
    """The n-th phone, digits only as accounts and lists keep them."""
    return f"0356000{n % 10_000:04d}"


def make_accounts(areas: dict[str, Area], makers: dict[str, Supplier]) -> dict[str, User]:
    """The accounts by user name; they all sign in with PASSWORD."""
    hashed = make_password(PASSWORD)  # once: hashing is slow on purpose
    users = User.objects.bulk_create(
        User(
            username=account.username,
            name=account.name,
            role=account.role,
            area=areas.get(account.place),
            password=hashed,
            **KEEPER if account.role == Role.ADMINISTRATOR else {},
        )
        for account in ACCOUNTS
    )
    found = {user.username: user for user in users}
    SupplierMember.objects.bulk_create(
        SupplierMember(user=found[account.username], supplier=makers[account.maker])
        for account in ACCOUNTS
        if account.maker
    )
    return found


def sign_ins() -> list[dict[str, str]]:
    """What `./run` shows: user name, password, name, role."""
    return [
        {
            "username": account.username,
            "password": PASSWORD,
            "name": account.name,
            "role": str(account.role.label),
        }
        for account in ACCOUNTS
    ]
