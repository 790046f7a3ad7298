"""Import by workbook as an officer does it: upload, result, confirmations, choice, files back."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from households import clock
from households.ledger import import_pages, importing, jobs
from households.models import Household, User, WorkbookImport
from households.models.transfers import SILENT
from tests.cast import Cast
from tests.households.ledger.workbooks import home, opened, saved, workbook

WRONG = home(3, 联系电话="1380000001")
ODD = home(4, 取暖面积=920)  # ten times its neighbours'


@pytest.fixture
def officer(cast: Cast, client: Client) -> Client:
    client.force_login(cast.town_officer)
    return client


def upload(client: Client, content: bytes, name: str = "台账.xlsx", token: str = "") -> Any:
    token = token or str(uuid.uuid4())
    file = SimpleUploadedFile(name, content)
    return client.post("/imports/upload/", {"file": file, "token": token})


def checked(client: Client, rows: list[dict[str, Any]], name: str = "台账.xlsx") -> WorkbookImport:
    """The newest import after its check."""
    assert upload(client, workbook(rows), name).status_code == 302
    jobs.work()
    return WorkbookImport.objects.latest("asked_at")


def page(client: Client, job: WorkbookImport, query: str = "") -> str:
    response = client.get(f"/imports/{job.uid}/{query}")
    assert response.status_code == 200, response
    return response.content.decode()


def post(client: Client, job: WorkbookImport, act: str, **values: str) -> Any:
    return client.post(f"/imports/{job.uid}/{act}/", values)


def choose(client: Client, job: WorkbookImport, rows: str) -> WorkbookImport:
    """Choose, let the worker work, and see what became of it."""
    response = post(client, job, "choose", rows=rows)
    assert response.status_code == 302, response.context["result"].page.object_list
    jobs.work()
    job.refresh_from_db()
    return job


def content(response: Any) -> bytes:
    assert response.status_code == 200
    return b"".join(response.streaming_content)


def imported() -> int:
    return Household.objects.filter(door__startswith="示范巷").count()


def test_an_upload_is_checked_and_nothing_is_imported(officer: Client) -> None:
    job = checked(officer, [home(1), home(2), WRONG])
    said = page(officer, job)
    assert "尚未导入任何一行" in said
    assert "导入检查结果" in said
    assert (job.counts["rows"], job.counts["mistakes"], job.counts["new"]) == (3, 1, 2)
    assert imported() == 0


def test_the_page_shows_progress_until_the_check_is_done(officer: Client) -> None:
    upload(officer, workbook([home(1)]))
    job = WorkbookImport.objects.get()
    said = page(officer, job)
    assert "正在检查" in said
    assert "可以离开" in said
    bar = officer.get(f"/imports/{job.uid}/progress/", headers={"X-Polled": "1"})
    assert bar.status_code == 200
    jobs.work()
    over = officer.get(f"/imports/{job.uid}/progress/")
    assert over["HX-Redirect"] == f"/imports/{job.uid}/"


def test_a_mistake_is_listed_with_its_place_and_what_to_do(officer: Client) -> None:
    job = checked(officer, [home(1), home(2), WRONG])
    response = officer.get(f"/imports/{job.uid}/")
    (entry,) = response.context["result"].page
    remark = entry.remark
    assert (remark.sheet, remark.row, remark.letter) == ("改造户", 4, "F")
    assert (remark.column, remark.value) == ("联系电话", "1380000001")
    assert remark.reason
    assert remark.advice


def test_the_piece_of_the_sheet_shows_the_head_and_the_marked_cell(officer: Client) -> None:
    job = checked(officer, [home(1), home(2), WRONG, home(5)])
    place = officer.get(f"/imports/{job.uid}/").context["result"].place
    assert [line.number for line in place.lines] == [1, 2, 3, 4, 5]
    assert place.lines[0].is_head
    marked = [(line.number, cell.text) for line in place.lines for cell in line.cells if cell.mark]
    assert marked == [(4, "1380000001")]


def test_all_or_nothing_is_refused_while_there_is_a_mistake(officer: Client) -> None:
    job = checked(officer, [home(1), WRONG])
    response = post(officer, job, "choose", rows="all")
    assert response.status_code == 422
    assert "还有 1 处错误" in response.content.decode()
    jobs.work()
    assert imported() == 0


def test_a_workbook_without_mistakes_is_imported_whole(officer: Client) -> None:
    job = choose(officer, checked(officer, [home(1), home(2)]), "all")
    assert job.state == "imported"
    assert imported() == 2
    assert "已导入" in page(officer, job)


def test_the_right_rows_are_imported_and_the_wrong_ones_come_back(officer: Client) -> None:
    job = choose(officer, checked(officer, [home(1), home(2), WRONG]), "right")
    assert imported() == 2
    assert "下载退回的 1 行" in page(officer, job)
    sheet = opened(content(officer.get(f"/imports/{job.uid}/returned/")))["改造户"]
    head, row = ([cell.value for cell in line] for line in sheet.iter_rows(max_row=2))
    told = dict(zip(head, row, strict=True))
    assert (told["住户姓名"], told["联系电话"]) == (WRONG["住户姓名"], "1380000001")
    assert "联系电话：" in told["问题说明"]


def test_the_returned_rows_are_imported_once_they_are_mended(officer: Client) -> None:
    job = choose(officer, checked(officer, [home(1), WRONG]), "right")
    book = opened(content(officer.get(f"/imports/{job.uid}/returned/")))
    sheet = book["改造户"]
    column = next(cell.column for cell in sheet[1] if cell.value == "联系电话")
    sheet.cell(2, column).value = "13800000003"
    upload(officer, saved(book), "退回-台账.xlsx")
    jobs.work()
    again = choose(officer, WorkbookImport.objects.latest("asked_at"), "all")
    assert (again.counts["rows"], again.counts["mistakes"]) == (1, 0)
    assert imported() == 2


def test_the_annotated_workbook_imports_again_after_its_correction(officer: Client) -> None:
    job = checked(officer, [home(1), WRONG])
    book = opened(content(officer.get(f"/imports/{job.uid}/annotated/")))
    assert book.sheetnames[0] == "问题清单"
    assert "【错误】" in book["改造户"]["F3"].comment.text
    book["改造户"]["F3"].value = "13800000003"
    upload(officer, saved(book))
    jobs.work()
    again = WorkbookImport.objects.latest("asked_at")
    assert (again.counts["rows"], again.counts["mistakes"]) == (2, 0)


@pytest.fixture
def reminded(officer: Client) -> WorkbookImport:
    return checked(officer, [*(home(n) for n in range(5, 12)), ODD])


def test_reminders_have_to_be_confirmed_first(officer: Client, reminded: WorkbookImport) -> None:
    assert reminded.counts["reminders"] >= 1
    response = post(officer, reminded, "choose", rows="all")
    assert response.status_code == 422
    assert "处提醒没有确认" in response.content.decode()


def test_a_reminder_is_confirmed_and_taken_back(officer: Client, reminded: WorkbookImport) -> None:
    entries = officer.get(f"/imports/{reminded.uid}/").context["result"].page
    key = next(entry.remark.key for entry in entries if not entry.is_mistake)
    post(officer, reminded, "confirm", key=key)
    reminded.refresh_from_db()
    assert reminded.confirmed == [key]
    post(officer, reminded, "confirm", key=key, off="1")
    reminded.refresh_from_db()
    assert reminded.confirmed == []


def test_reminders_are_confirmed_kind_by_kind_and_then_imported(
    officer: Client, reminded: WorkbookImport
) -> None:
    for kind, _words, _count in officer.get(f"/imports/{reminded.uid}/").context["result"].groups:
        post(officer, reminded, "confirm", kind=kind)
    assert officer.get(f"/imports/{reminded.uid}/").context["result"].left == 0
    assert choose(officer, reminded, "all").state == "imported"
    assert imported() == 8


def test_what_is_no_reminder_cannot_be_confirmed(officer: Client) -> None:
    job = checked(officer, [home(1), WRONG])
    key = officer.get(f"/imports/{job.uid}/").context["result"].page[0].remark.key
    post(officer, job, "confirm", key=key)
    post(officer, job, "confirm", key="0" * 16)
    job.refresh_from_db()
    assert job.confirmed == []


def test_a_form_that_is_sent_twice_makes_one_import(officer: Client) -> None:
    token, rows = str(uuid.uuid4()), workbook([home(1)])
    first, second = (upload(officer, rows, token=token) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert WorkbookImport.objects.count() == 1


def test_a_choice_that_is_pressed_twice_imports_once(officer: Client) -> None:
    job = checked(officer, [home(1)])
    post(officer, job, "choose", rows="all")
    assert post(officer, job, "choose", rows="all").status_code == 302
    jobs.work()
    assert post(officer, job, "choose", rows="all").status_code == 302
    jobs.work()
    assert imported() == 1


def test_the_ledger_has_changed_since_and_the_officer_looks_again(
    cast: Cast, officer: Client
) -> None:
    Household.objects.filter(pk=cast.water_household.pk).update(area=cast.area("洞头村"))
    job = checked(officer, [home(1, 户编号=cast.water_household.number)])
    home_now = Household.objects.get(pk=cast.water_household.pk)
    home_now.heated_area = 55
    home_now.save()
    job = choose(officer, job, "all")
    assert job.state == "checked"
    assert "检查之后台账有变化" in page(officer, job)


def test_an_unreadable_file_is_refused_in_words(officer: Client) -> None:
    upload(officer, bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600, "台账.xls")
    jobs.work()
    job = WorkbookImport.objects.get()
    assert job.state == "refused"
    assert job.sentence in page(officer, job)
    assert ".xlsx" in job.sentence


def test_an_upload_without_a_file_or_too_large_is_told(
    officer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert officer.post("/imports/upload/").status_code == 422
    monkeypatch.setattr(import_pages, "LARGEST", 10)
    response = upload(officer, b"x" * 11)
    assert response.status_code == 422
    assert "请分成几个文件上传" in response.content.decode()
    assert not WorkbookImport.objects.exists()


def test_what_fails_in_the_middle_is_told_and_nothing_is_in(
    officer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = checked(officer, [home(1)])

    def broken(*args: object, **options: object) -> None:
        raise RuntimeError("13800000001")

    monkeypatch.setattr(importing, "run", broken)
    job = choose(officer, job, "all")
    assert job.state == "failed"
    assert str(job.uid)[:8] in page(officer, job)
    assert imported() == 0


def test_a_check_whose_worker_fell_silent_is_taken_again(officer: Client) -> None:
    upload(officer, workbook([home(1)]))
    WorkbookImport.objects.update(state="checking", seen_at=clock.now())
    assert jobs.work() == 0
    WorkbookImport.objects.update(seen_at=clock.now() - SILENT - timedelta(seconds=1))
    assert jobs.work() == 1
    assert WorkbookImport.objects.get().state == "checked"


def test_an_import_whose_worker_was_killed_is_written_once(officer: Client) -> None:
    job = checked(officer, [home(1), home(2)])
    post(officer, job, "choose", rows="all")
    long_ago = clock.now() - SILENT - timedelta(seconds=1)
    WorkbookImport.objects.update(state="importing", seen_at=long_ago)
    assert jobs.work() == 1
    assert jobs.work() == 0
    assert imported() == 2


def test_an_abandoned_import_is_forgotten_at_once(officer: Client) -> None:
    job = checked(officer, [home(1), WRONG])
    assert post(officer, job, "abandon").status_code == 302
    job.refresh_from_db()
    assert (job.state, job.file, job.report) == ("abandoned", "", "")
    assert officer.get(f"/imports/{job.uid}/annotated/").status_code == 404
    assert post(officer, job, "choose", rows="right").status_code == 404


def test_after_a_day_the_page_says_that_the_file_is_gone(officer: Client) -> None:
    job = checked(officer, [home(1), WRONG])
    WorkbookImport.objects.update(asked_at=clock.now() - timedelta(hours=25))
    assert "文件已到期删除" in page(officer, job)
    assert officer.get(f"/imports/{job.uid}/annotated/").status_code == 404


def strangers(cast: Cast) -> list[User]:
    """A clerk below him, the district above him, a colleague of another town, others."""
    return [cast.clerk, cast.district_officer, cast.outsider, cast.reader, cast.supplier_member]


def test_nobody_else_sees_an_import(cast: Cast, officer: Client) -> None:
    job = checked(officer, [home(1), WRONG])
    for user in strangers(cast):
        officer.force_login(user)
        for path in ("", "progress/", "annotated/", "returned/"):
            assert officer.get(f"/imports/{job.uid}/{path}").status_code == 404, (user, path)
        for act in ("confirm", "choose", "abandon"):
            assert post(officer, job, act).status_code == 404, (user, act)
    officer.logout()
    assert officer.get(f"/imports/{job.uid}/").status_code == 302


def test_only_those_who_register_come_to_the_first_page(cast: Cast, officer: Client) -> None:
    assert "下载模板" in officer.get("/transfer/").content.decode()
    assert officer.get("/transfer/template/").status_code == 200
    officer.force_login(cast.reader)
    for path in ("/transfer/", "/transfer/template/"):
        assert officer.get(path).status_code == 403
    assert upload(officer, workbook([home(1)])).status_code == 403


def test_the_first_page_lists_what_was_imported(officer: Client) -> None:
    job = choose(officer, checked(officer, [home(1)], "洞头村.xlsx"), "all")
    said = officer.get("/transfer/").content.decode()
    assert "洞头村.xlsx" in said
    assert str(job.get_state_display()) in said


def test_files_come_as_attachments_that_nobody_keeps(officer: Client) -> None:
    job = checked(officer, [home(1), WRONG], "洞头.xlsx")
    response = officer.get(f"/imports/{job.uid}/annotated/")
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in response["Cache-Control"]


def test_no_name_or_phone_stands_in_the_row_of_an_import(officer: Client) -> None:
    job = checked(officer, [home(1), WRONG])
    stored = str(WorkbookImport.objects.filter(pk=job.pk).values())
    assert "1380000" not in stored
    assert "测试户" not in stored


def test_the_done_page_leads_to_the_very_rows_that_were_written(
    cast: Cast, officer: Client
) -> None:
    job = choose(officer, checked(officer, [home(1), home(2), WRONG]), "right")
    assert f"/households/?imported={job.uid}" in page(officer, job)
    lines = officer.get(f"/households/?imported={job.uid}").context["lines"]
    assert {line.household.door for line in lines} == {"示范巷 1 号", "示范巷 2 号"}
    assert not officer.get(f"/households/?imported={uuid.uuid4()}").context["lines"]
    officer.force_login(cast.outsider)
    assert not officer.get(f"/households/?imported={job.uid}").context["lines"]
