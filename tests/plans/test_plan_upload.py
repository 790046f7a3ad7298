"""The task plan comes in by the pages of import: the district alone, told and asked as ever."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from households.ledger import jobs
from households.models import User, WorkbookImport
from plans.models import PlanItem, TaskPlan
from tests.cast import Cast

ANNEX1 = Path(__file__).parents[2] / "plans" / "data" / "annex1_2020.csv"


def uploaded(client: Client, user: User, text: str) -> WorkbookImport:
    client.force_login(user)
    file = SimpleUploadedFile("附件1.csv", text.encode())
    client.post("/imports/upload/", {"file": file, "token": str(uuid.uuid4())})
    jobs.work()
    return WorkbookImport.objects.latest("asked_at")


def choose(client: Client, job: WorkbookImport, **answers: str) -> int:
    response = client.post(f"/imports/{job.uid}/choose/", {"rows": "all", **answers})
    jobs.work()
    job.refresh_from_db()
    return response.status_code


@pytest.fixture
def printed() -> str:
    return ANNEX1.read_text(encoding="utf-8-sig")


def test_the_plan_is_checked_asked_about_and_imported(
    cast: Cast, client: Client, printed: str
) -> None:
    job = uploaded(client, cast.district_officer, printed)
    page = client.get(f"/imports/{job.uid}/").content.decode()
    assert (job.state, job.counts["mistakes"]) == ("checked", 0)
    assert "依据（文号）" in page
    assert not TaskPlan.objects.exists()
    assert choose(client, job, year="2020", basis="") == 422
    assert choose(client, job, year="2020", basis="示例〔2020〕17 号") == 302
    assert job.state == "imported"
    assert PlanItem.objects.filter(plan__year=2020).count() == job.counts["rows"]
    assert "看任务计划" in client.get(f"/imports/{job.uid}/").content.decode()


def test_a_wrong_number_is_shown_at_its_cell_and_nothing_is_imported(
    cast: Cast, client: Client, printed: str
) -> None:
    job = uploaded(client, cast.district_officer, printed.replace("160,160,", "161,160,", 1))
    (entry,) = client.get(f"/imports/{job.uid}/").context["result"].page
    assert (entry.remark.row, entry.remark.letter, entry.remark.value) == (2, "D", "161")
    assert choose(client, job, year="2020", basis="示例") == 422
    assert not TaskPlan.objects.exists()


def test_a_town_is_told_that_the_district_imports_the_plan(
    cast: Cast, client: Client, printed: str
) -> None:
    job = uploaded(client, cast.town_officer, printed)
    assert job.state == "refused"
    assert "由区领导小组办公室导入" in client.get(f"/imports/{job.uid}/").content.decode()


def test_a_year_that_cannot_be_is_refused_and_nothing_is_in(
    cast: Cast, client: Client, printed: str
) -> None:
    job = uploaded(client, cast.district_officer, printed)
    assert choose(client, job, year="20", basis="示例") == 302
    assert job.state == "failed"
    assert "年度要在 2000 到 2099 之间" in job.sentence
    assert not TaskPlan.objects.exists()
