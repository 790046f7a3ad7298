from __future__ import annotations

import pytest
from django.test import Client

from households.models import Notification
from households.notifications import tell
from tests.cast import Cast


@pytest.fixture
def maker(cast: Cast, client: Client) -> Client:
    client.force_login(cast.supplier_member)
    client.get("/messages/")  # the first request begins the session
    return client


def text(client: Client, path: str) -> str:
    return client.get(path).content.decode()


def test_the_bar_counts_what_was_not_read(cast: Cast, maker: Client) -> None:
    assert 'class="count"' not in text(maker, "/installations/")
    tell([cast.supplier_member], "已收样", "/installations/")
    tell([cast.supplier_member], "测试通过", "/installations/")
    assert '<span class="count" title="2 条未读">' in text(maker, "/installations/")


def test_opening_the_page_reads_them(cast: Cast, maker: Client) -> None:
    tell([cast.supplier_member], "已收样", "/installations/")
    page = text(maker, "/messages/")
    assert '<a href="/installations/"><b>已收样</b></a>' in page
    assert "条未读" not in page
    page = text(maker, "/messages/")
    assert '<a href="/installations/">已收样</a>' in page


def test_asking_for_the_head_reads_nothing(cast: Cast, maker: Client) -> None:
    tell([cast.supplier_member], "已收样", "/")
    maker.head("/messages/")
    assert Notification.objects.unread().count() == 1


def test_nobody_reads_what_was_told_to_another(cast: Cast, maker: Client) -> None:
    tell([cast.rival], "北岳的样机已收", "/")
    assert "北岳的样机已收" not in text(maker, "/messages/")
    assert Notification.objects.unread().count() == 1


def test_without_messages_the_page_says_what_it_is_for(cast: Cast, maker: Client) -> None:
    assert "还没有消息" in text(maker, "/messages/")


def test_many_messages_come_in_pages(cast: Cast, maker: Client) -> None:
    for n in range(51):
        tell([cast.supplier_member], f"第 {n} 条", "/")
    assert "共 51 条" in text(maker, "/messages/")
    assert "第 0 条" in text(maker, "/messages/?page=2")
    assert "条未读" not in text(maker, "/installations/")


def test_a_stranger_is_led_to_sign_in(client: Client) -> None:
    assert client.get("/messages/")["Location"].startswith("/sign-in/")
