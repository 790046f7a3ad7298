from __future__ import annotations

import io
from datetime import date
from typing import Any

import pytest

from devices.makers import papers
from devices.models import MakerPaper, MakerPaperKind
from households import vault
from households.archive.incoming import FileRefused
from households.models import Change
from tests.cast import Cast
from tests.devices.makers.scene import in_days, photo


def add(cast: Cast, kind: str = "manual", colour: str = "#cde", **said: Any) -> MakerPaper:
    fields = {"model": cast.water.model} | said
    maker = cast.water.model.supplier
    return papers.add(maker, photo(colour), by=cast.supplier_member, kind=kind, **fields)


def test_a_paper_is_kept_sealed_and_opens_again(cast: Cast) -> None:
    paper = add(cast)
    assert paper.content_type == "image/jpeg"
    assert len(paper.digest) == 64
    with vault.open(paper.file) as content:
        assert content.read().startswith(b"\xff\xd8")


def test_the_same_file_sent_twice_is_one_paper(cast: Cast) -> None:
    assert add(cast) == add(cast)
    assert add(cast, "parameters") != add(cast)
    assert add(cast, colour="#edc") != add(cast)


def test_the_same_file_with_its_date_put_right_is_another_paper(cast: Cast) -> None:
    wrong = add(cast, "insurance", valid_until=in_days(30))
    assert add(cast, "insurance", valid_until=in_days(300)) != wrong


def test_a_file_that_is_no_paper_is_refused(cast: Cast) -> None:
    with pytest.raises(FileRefused, match="只收照片"):
        papers.add(
            cast.water.model.supplier,
            io.BytesIO(b"<script>alert(1)</script>"),
            by=cast.supplier_member,
            kind="other",
        )


def test_a_withdrawn_paper_says_why_and_stays(cast: Cast) -> None:
    paper = add(cast)
    assert papers.withdraw(paper, why="与原件不符")
    assert not papers.withdraw(paper, why="看不清")  # somebody was quicker
    paper.refresh_from_db()
    assert paper.withdrawn_why == "与原件不符"
    assert paper not in MakerPaper.objects.standing()
    assert Change.objects.filter(table="devices_makerpaper", reason="与原件不符").exists()


def test_the_contents_name_what_is_missing_in_the_kinds_order(cast: Cast) -> None:
    add(cast)
    entries = papers.contents(cast.water.model)
    assert [entry.kind for entry in entries] == list(papers.OF_A_MODEL)
    assert [entry.kind.value for entry in entries if entry.lacks] == [
        "parameters",
        "performance",
        "commitment",
    ]


def test_a_company_needs_its_licence(cast: Cast) -> None:
    maker = cast.water.model.supplier
    assert [entry.lacks for entry in papers.contents(maker)] == [True]
    add(cast, "licence", model=None)
    assert [entry.lacks for entry in papers.contents(maker)] == [False]


def test_a_paper_that_is_over_lacks_though_it_is_there(cast: Cast) -> None:
    cast.water.model.papers.filter(kind="insurance").update(valid_until=in_days(-1))
    by_kind = {entry.kind: entry for entry in papers.contents(cast.water.model)}
    entry = by_kind[MakerPaperKind.INSURANCE]
    assert entry.lacks
    assert entry.standing == ("st-bad", "已过期")


def test_of_two_papers_of_a_kind_the_one_in_force_stands_for_the_model(cast: Cast) -> None:
    model = cast.water.model
    model.papers.filter(kind="insurance").update(valid_until=in_days(100))
    add(cast, "insurance", number="old", valid_until=in_days(-100))
    add(
        cast,
        "insurance",
        number="later",
        valid_from=in_days(101),
        valid_until=in_days(400),
        colour="#aaa",
    )
    entries = papers.newest_of_models([model, cast.air.model])
    assert "insurance" not in [entry.kind for entry in entries[model.pk] if entry.lacks]
    assert len(entries[cast.air.model.pk]) == len(papers.OF_A_MODEL)


@pytest.mark.parametrize(
    ("since", "days", "shape"),
    [
        (None, None, "st-ok"),
        (None, 31, "st-ok"),
        (None, 30, "st-warn"),
        (None, 0, "st-warn"),
        (None, -1, "st-bad"),
        (1, 300, "st-wait"),
        (0, 300, "st-ok"),
    ],
)
def test_validity_has_a_sign_of_its_own(since: int | None, days: int | None, shape: str) -> None:
    until: date | None = None if days is None else in_days(days)
    begin = None if since is None else in_days(since)
    assert papers.validity(until, begin)[0] == shape
