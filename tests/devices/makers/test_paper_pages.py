from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from devices.makers import papers
from devices.models import MakerPaper
from households.models import Notification, User
from tests.cast import Cast
from tests.devices.makers.scene import in_days, insurance, photo


@pytest.fixture
def maker(cast: Cast, client: Client) -> Client:
    cast.water.model.papers.filter(kind="insurance").delete()
    client.force_login(cast.supplier_member)
    return client


def send(client: Client, cast: Cast, **changes: Any) -> Any:
    address = f"/makers/papers/new/?model={cast.water.model.pk}"
    return client.post(address, insurance(**changes))


def sent(cast: Cast) -> MakerPaper | None:
    return cast.water.model.papers.filter(kind="insurance").first()


def test_a_paper_is_sent_with_its_validity(cast: Cast, maker: Client) -> None:
    assert send(maker, cast)["Location"].endswith("#papers")
    paper = sent(cast)
    assert paper is not None
    assert paper.valid_until == in_days(300)
    assert paper.added_by == cast.supplier_member


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"valid_until": ""}, "没有有效期不能作为准入依据"),
        ({"number": ""}, "请照原件填写编号"),
        ({"valid_until": in_days(-20)}, "有效期在生效日期之前"),
        ({"valid_until": "2026-02-31"}, "日期"),
        ({"kind": "licence"}, "选择"),
        ({"kind": "other"}, "请写明是什么材料"),
        ({"file": SimpleUploadedFile("a.pdf", b"GIF89a")}, "只收照片"),
        ({"file": ""}, "必填"),
        ({"title": "11010519491231002X"}, "平台不保存身份证号"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(
    cast: Cast, maker: Client, changes: dict[str, Any], said: str
) -> None:
    response = send(maker, cast, **changes)
    assert response.status_code == 200
    assert said in response.content.decode()
    assert sent(cast) is None


def test_a_paper_that_is_over_is_taken_and_said_to_be_over(cast: Cast, maker: Client) -> None:
    address = f"/makers/papers/new/?model={cast.water.model.pk}"
    over = insurance(valid_from=in_days(-400), valid_until=in_days(-30))
    assert "已经过期" in maker.post(address, over, follow=True).content.decode()
    assert sent(cast) is not None


def test_the_licence_is_the_companys(cast: Cast, maker: Client) -> None:
    maker.post("/makers/papers/new/", insurance(kind="licence", valid_until=""))
    paper = MakerPaper.objects.get(kind="licence")
    assert paper.model is None
    assert paper.supplier == cast.water.model.supplier


def test_the_asked_kind_is_chosen(cast: Cast, maker: Client) -> None:
    address = f"/makers/papers/new/?model={cast.water.model.pk}&kind=insurance"
    assert '<option value="insurance" selected>' in maker.get(address).content.decode()


@pytest.mark.parametrize("asked", ["x", "1" * 40, "-1"])
def test_a_model_that_is_none_is_not_found(cast: Cast, maker: Client, asked: str) -> None:
    assert maker.get(f"/makers/papers/new/?model={asked}").status_code == 404


def a_paper(cast: Cast) -> MakerPaper:
    return papers.add(
        cast.water.model.supplier,
        io.BytesIO(photo().read()),
        by=cast.supplier_member,
        model=cast.water.model,
        kind="manual",
    )


@pytest.mark.parametrize("who", ["supplier_member", "service_unit", "district_officer", "reader"])
def test_those_whom_it_concerns_open_it(cast: Cast, client: Client, who: str) -> None:
    paper = a_paper(cast)
    client.force_login(getattr(cast, who))
    response = client.get(f"/makers/papers/{paper.uid}/")
    assert response.status_code == 200
    assert "sandbox" in response["Content-Security-Policy"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert client.get(f"/makers/papers/{paper.uid}/thumbnail/").status_code == 200


@pytest.mark.parametrize(("who", "code"), [("rival", 404), ("town_officer", 403)])
def test_nobody_else_does(cast: Cast, client: Client, who: str, code: int) -> None:
    paper = a_paper(cast)
    client.force_login(getattr(cast, who))
    for address in ("", "thumbnail/"):
        assert client.get(f"/makers/papers/{paper.uid}/{address}").status_code == code
    assert client.post(f"/makers/papers/{paper.uid}/withdraw/").status_code == code


def test_a_paper_without_its_file_is_not_found(cast: Cast, client: Client) -> None:
    client.force_login(cast.service_unit)
    paper = cast.water.model.papers.get(kind="insurance")  # a row alone
    assert client.get(f"/makers/papers/{paper.uid}/").status_code == 404


def test_its_maker_takes_it_away_with_a_reason(cast: Cast, maker: Client) -> None:
    paper = a_paper(cast)
    address = f"/makers/papers/{paper.uid}/withdraw/"
    assert "要选原因" in maker.post(address, follow=True).content.decode()
    User.objects.filter(pk=cast.supplier_member.pk).update(language="en")
    maker.post(address, {"why": "unreadable"})
    User.objects.filter(pk=cast.supplier_member.pk).update(language="zh-hans")
    paper.refresh_from_db()
    assert paper.withdrawn_why == "看不清"  # as the record has it, whoever chose it
    assert not Notification.objects.filter(to=cast.supplier_member).exists()
    assert "已经撤下了" in maker.post(address, {"why": "untrue"}, follow=True).content.decode()
    assert "看不清" in maker.get(f"/makers/models/{cast.water.model.pk}/").content.decode()


def test_the_service_unit_takes_it_away_and_the_maker_hears_why(cast: Cast, client: Client) -> None:
    paper = a_paper(cast)
    client.force_login(cast.service_unit)
    client.post(f"/makers/papers/{paper.uid}/withdraw/", {"why": "untrue"})
    told = Notification.objects.get(to=cast.supplier_member)
    assert "与原件不符" in told.text
    assert told.path == f"/makers/models/{cast.water.model.pk}/"


def test_the_district_takes_none_away(cast: Cast, client: Client) -> None:
    paper = a_paper(cast)
    client.force_login(cast.district_officer)
    assert client.post(f"/makers/papers/{paper.uid}/withdraw/").status_code == 403
