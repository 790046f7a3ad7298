"""The confirmation as a letter: a plain official one without a red head, since the service unit may
be a company. The place for the seal is left open. Papers are Chinese whoever asks for them."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import segno
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from devices.docking import applications, codes, confirmations
from devices.models import Confirmation, DockingApplication, DockingState
from households.archive import papers

FIGURES = "〇一二三四五六七八九"


def pdf(confirmation: Confirmation) -> bytes:
    """The letter as PDF/A, not yet signed. Raises papers.NoFont where the letters are not
    installed."""
    with override("zh-hans"):
        said = facts(confirmation)
        attached = {"qr.svg": qr(confirmations.public_address(confirmation))}
        said["digest"] = papers.digest(said, attached)
        return papers.typeset("confirmation", said, attached)


def facts(confirmation: Confirmation) -> dict[str, Any]:
    """What the letter says."""
    application = confirmation.application
    assert application is not None  # of our own, as the database sees to
    title = confirmations.title()
    return {
        "title": title,
        "number": confirmation.number,
        "to": confirmation.maker,
        "body": _body(confirmation, application),
        "scope": scope(confirmation),
        "tested": tested(confirmation, application),
        "validity": _("自%(begin)s起至%(end)s止。")
        % {
            "begin": _in_words(confirmation.valid_from),
            "end": _in_words(confirmation.valid_until),
        },
        "conditions": [*_always(title), *map(_closed, confirmation.conditions)],
        "issuer": confirmation.issuer,
        "on": written(confirmation.issued_on),
        "code": codes.spaced(confirmation.code),
        "address": confirmations.public_address(confirmation),
        "home": settings.PUBLIC_URL.rstrip("/") + "/confirm/",
        "phone": settings.SERVICE_PHONE,
        "qr": "qr.svg",
    }


def _body(confirmation: Confirmation, application: DockingApplication) -> str:
    words = {
        "name": confirmation.model.name,
        "code": confirmation.model.code,
        "application": application.number,
        "unit": confirmation.issuer,
    }
    tested = _(
        "你单位申请（申请编号 %(application)s）的%(name)s（型号 %(code)s），已按《清洁取暖信息平台"
        "设备数据传输相关要求》第 1 至 4 条，由%(unit)s以送检的控制板和无线数据传输装置样品进行数据"
        "对接测试，结论为通过。"
    )
    if settings.APPOINTED_PLATFORM:
        closing = _("现就下列范围出具数据对接确认书。")
    else:
        closing = _("现就下列范围出具测试报告。本报告不代替市平台出具的数据对接确认书。")
    return tested % words + closing


def scope(confirmation: Confirmation) -> list[tuple[str, str]]:
    """What it covers, name by name: on the letter, on its page and for everybody who has the
    code."""
    model, points = confirmation.model, confirmation.register_map
    rows = [
        (_("设备厂商名称"), confirmation.maker),
        (_("设备名称"), model.name),
        (_("设备型号"), model.code),
        (_("主控板型号"), confirmation.board),
        (_("主控板版本"), confirmation.board_version),
        (_("固件版本"), confirmation.firmware),
        (_("无线数据传输装置型号"), confirmation.transmitter_model),
    ]
    if points:
        version = _("第 %(n)d 版") % {"n": points.version}
        rows += [(_("点表版本"), version), (_("点表摘要（SHA-256）"), points.digest)]
    return rows


def tested(confirmation: Confirmation, application: DockingApplication) -> list[tuple[str, str]]:
    """When and how it was tested, and the digest of the report."""
    protocol = " ".join(filter(None, (application.protocol, application.protocol_version)))
    rows = [
        (_("通讯协议文件"), protocol),
        (_("收样日期"), _day_of(application, DockingState.RECEIVED)),
        (_("测试日期"), _days_of_the_test(application)),
    ]
    rows += [row for hook in confirmations.FIGURES for row in hook(application)]
    return [*rows, (_("测试报告摘要（SHA-256）"), confirmation.test_digest)]


def _days_of_the_test(application: DockingApplication) -> str:
    begun = _day_of(application, DockingState.TESTING)
    done = _day_of(application, DockingState.PASSED)
    return begun if begun == done else _("%(begin)s 至 %(end)s") % {"begin": begun, "end": done}


def _day_of(application: DockingApplication, state: DockingState) -> str:
    day = applications.day_of(application, state)
    return f"{day:%Y-%m-%d}" if day else "—"


def _always(title: str) -> list[str]:
    """What holds for every one of them."""
    return [
        _(
            "本%(title)s仅对上列主控板、固件、无线数据传输装置和点表的组合有效；其中任何一项变更，"
            "须重新测试。"
        )
        % {"title": title},
        _("是否有效以核验页面为准；暂停使用、撤销、到期或被替代后，不得据以新装设备。"),
    ]


def _closed(condition: str) -> str:
    """A condition as a whole sentence: those of the test and of the signer come with and without
    their full stop."""
    return condition if condition.endswith(("。", "！", "？", ".")) else f"{condition}。"


def _in_words(day: date) -> str:
    return _("%(year)d 年 %(month)d 月 %(day)d 日") % {
        "year": day.year,
        "month": day.month,
        "day": day.day,
    }


def written(day: date) -> str:
    """A date as letters write it: 二〇二六年十一月二十三日."""
    year = "".join(FIGURES[int(sign)] for sign in str(day.year))
    return f"{year}年{_small(day.month)}月{_small(day.day)}日"


def _small(number: int) -> str:
    """1 to 99 as it is spoken."""
    tens, ones = divmod(number, 10)
    begin = "" if tens == 0 else "十" if tens == 1 else FIGURES[tens] + "十"
    return begin + (FIGURES[ones] if ones else "")


def qr(address: str) -> bytes:
    """The QR of an address as SVG."""
    picture = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        picture, kind="svg", border=2, xmldecl=False, omitsize=True
    )
    return picture.getvalue()
