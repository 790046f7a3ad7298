"""Exports on the pages: masked unless a reason is picked, written by a worker, one person's own."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from households import clock
from households.ledger import exporting, jobs
from households.models import PhoneReveal, WorkbookExport
from tests.cast import Cast
from tests.households.ledger.workbooks import opened


@pytest.fixture
def officer(cast: Cast, client: Client) -> Client:
    client.force_login(cast.town_officer)
    return client


def ask(client: Client, **values: str) -> Any:
    return client.post("/exports/new/", {"token": str(uuid.uuid4()), "phones": "masked"} | values)


def written(client: Client, **values: str) -> WorkbookExport:
    """The newest export after the worker's work."""
    assert ask(client, **values).status_code == 302
    jobs.work()
    return WorkbookExport.objects.latest("asked_at")


def sheet(client: Client, job: WorkbookExport) -> Any:
    response: Any = client.get(f"/exports/{job.uid}/file/")
    assert response.status_code == 200
    return opened(b"".join(response.streaming_content))["改造户"]


def test_the_page_says_how_many_households_the_filters_leave(officer: Client) -> None:
    response = officer.get("/exports/new/?method=coal_to_electricity&page=3")
    assert response.context["count"] == 2
    assert response.context["query"] == "method=coal_to_electricity"


def test_what_was_looked_for_is_kept_sealed(officer: Client) -> None:
    response = officer.get("/exports/new/?q=测试户甲")
    query = response.context["query"]
    assert response.context["count"] == 1
    assert "%E6%B5%8B" not in query
    job = written(officer, query=query)
    assert [cell.value for cell in sheet(officer, job)["A"]] == ["户编号", "26-12-0001"]


def test_an_export_is_written_by_a_worker_and_then_downloaded(officer: Client) -> None:
    assert ask(officer, query="q=26-12").status_code == 302
    job = WorkbookExport.objects.get()
    assert "正在导出" in officer.get(f"/exports/{job.uid}/").content.decode()
    assert officer.get(f"/exports/{job.uid}/file/").status_code == 404
    jobs.work()
    bar = officer.get(f"/exports/{job.uid}/progress/")
    assert bar["HX-Redirect"] == f"/exports/{job.uid}/"
    assert "下载 1 户" in officer.get(f"/exports/{job.uid}/").content.decode()
    assert [cell.value for cell in sheet(officer, job)["A"]] == ["户编号", "26-12-0001"]


def test_phones_are_masked_unless_a_reason_is_picked(officer: Client) -> None:
    assert ask(officer, phones="plain").status_code == 422
    assert ask(officer, phones="plain", reason="curiosity").status_code == 422
    again = ask(officer, phones="plain", reason="other", words=" ")
    assert again.status_code == 422 and 'value="other" checked' in again.content.decode()
    assert not WorkbookExport.objects.exists()
    assert "13000000000" not in str(list(sheet(officer, written(officer)).values))
    assert not PhoneReveal.objects.exists()


def test_whole_phones_are_for_those_who_keep_the_ledger(cast: Cast, client: Client) -> None:
    client.force_login(cast.reader)
    assert "完整电话" not in client.get("/exports/new/").content.decode()
    assert ask(client, phones="plain", reason="check").status_code == 403
    assert ask(client).status_code == 302


def test_whole_phones_are_recorded_with_the_reason_in_words(officer: Client) -> None:
    job = written(officer, phones="plain", reason="check", words="年底核对")
    assert "13000000000" in str(list(sheet(officer, job).values))
    told = PhoneReveal.objects.filter(how="export", reason="核对住户信息：年底核对")
    assert told.count() == 2


def test_a_form_that_is_sent_twice_makes_one_export(officer: Client) -> None:
    token = str(uuid.uuid4())
    assert ask(officer, token=token)["Location"] == ask(officer, token=token)["Location"]
    assert WorkbookExport.objects.count() == 1


def test_nobody_else_sees_an_export(cast: Cast, officer: Client) -> None:
    job = written(officer)
    for user in (cast.district_officer, cast.clerk, cast.outsider, cast.supplier_member):
        officer.force_login(user)
        for path in ("", "progress/", "file/"):
            assert officer.get(f"/exports/{job.uid}/{path}").status_code == 404, (user, path)
    officer.logout()
    assert officer.get(f"/exports/{job.uid}/file/").status_code == 302


def test_an_outsiders_export_holds_none_of_the_others_rows(cast: Cast, officer: Client) -> None:
    officer.force_login(cast.outsider)
    assert sheet(officer, written(officer)).max_row == 1


def test_after_a_day_the_file_is_gone(officer: Client) -> None:
    job = written(officer)
    WorkbookExport.objects.update(asked_at=clock.now() - timedelta(hours=25))
    assert officer.get(f"/exports/{job.uid}/file/").status_code == 404
    assert "文件已到期删除" in officer.get(f"/exports/{job.uid}/").content.decode()


def test_what_fails_is_told_with_a_number(officer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **options: object) -> int:
        raise OSError("disk")

    monkeypatch.setattr(exporting, "write", broken)
    job = written(officer)
    assert job.state == "failed"
    assert str(job.uid)[:8] in officer.get(f"/exports/{job.uid}/").content.decode()
