from __future__ import annotations

from datetime import timedelta

import pytest

from households import clock, notifications, tasks
from households.models import Notification, User
from households.notifications import tell
from tests.cast import Cast


def unread(user: User) -> int:
    return Notification.objects.visible_to(user).unread().count()


def test_everybody_named_gets_the_message_once(cast: Cast) -> None:
    tell([cast.clerk, cast.reader, cast.clerk], "已收样", "/docking/DJ-2026-001/")
    assert {message.to for message in Notification.objects.all()} == {cast.clerk, cast.reader}
    assert Notification.objects.count() == 2


def test_an_account_that_was_disabled_gets_none(cast: Cast) -> None:
    cast.clerk.is_active = False
    tell([cast.clerk], "已收样", "/docking/DJ-2026-001/")
    assert not Notification.objects.exists()


def test_the_same_key_comes_once(cast: Cast) -> None:
    for _ in range(2):
        tell([cast.clerk], "保险单 30 天后到期", "/makers/1/", key="paper-1-30")
    tell([cast.clerk, cast.reader], "保险单 30 天后到期", "/makers/1/", key="paper-1-30")
    assert unread(cast.clerk) == 1
    assert unread(cast.reader) == 1


def test_without_a_key_it_comes_as_often_as_it_is_told(cast: Cast) -> None:
    for _ in range(2):
        tell([cast.clerk], "测试未通过", "/docking/DJ-2026-001/")
    assert unread(cast.clerk) == 2


def test_everybody_reads_it_in_his_own_language(cast: Cast) -> None:
    from django.utils.translation import gettext as _

    cast.reader.language = "en"
    cast.reader.save()
    tell([cast.clerk, cast.reader], lambda: _("退出登录"), "/")
    texts = dict(Notification.objects.values_list("to__username", "text"))
    assert texts == {cast.clerk.username: "退出登录", cast.reader.username: "Sign out"}


def test_a_long_text_is_cut_and_says_so(cast: Cast) -> None:
    tell([cast.clerk], "长" * 300, "/")
    assert Notification.objects.get().text == "长" * 199 + "…"


@pytest.mark.parametrize("path", ["https://example.org/", "//example.org/", "docking/"])
def test_a_message_never_leads_out_of_the_platform(cast: Cast, path: str) -> None:
    with pytest.raises(ValueError, match="no address of the platform"):
        tell([cast.clerk], "看这里", path)


def test_what_was_read_is_no_longer_unread(cast: Cast) -> None:
    tell([cast.clerk, cast.reader], "已收样", "/")
    assert [message.text for message in notifications.read(cast.clerk)] == ["已收样"]
    assert notifications.read(cast.clerk) == []
    assert unread(cast.clerk) == 0
    assert unread(cast.reader) == 1


def test_what_was_read_half_a_year_ago_is_forgotten(cast: Cast) -> None:
    tell([cast.clerk, cast.reader], "已收样", "/")
    notifications.read(cast.clerk)
    assert notifications.forget() == 0
    with clock.at(clock.now() + timedelta(days=181)):
        tasks.forget_messages()
    assert [message.to for message in Notification.objects.all()] == [cast.reader]
