"""Which models may be awarded and put in, what the others lack, and what follows when it comes.

Notice, Annex 2 items 4, 7 and 8, and the duty that a device awarded can be read by the platform: on
the day of the installation a model has its data-docking confirmation, its mandatory certificate and
its insurance in force, and a register map. `DeviceModel.objects.admitted` asks the same of many.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings
from django.db.models import F
from django.utils.translation import gettext as _

from devices.models import (
    ENDED,
    GATING,
    Confirmation,
    ConfirmationAct,
    ConfirmationState,
    DeviceModel,
    Installation,
    MakerPaper,
    MakerPaperKind,
)
from devices.models.installations import InstallationQuerySet
from households import clock, path
from households.models import StepKind

MAP, CONFIRMATION = "map", "confirmation"  # what a model needs beside the papers of GATING


@dataclass(frozen=True, slots=True)
class Lack:
    """One paper that a model lacks on a day: its name, what is the matter, and who brings it.

    `kind` is MAP, CONFIRMATION, or the kind of the maker's paper; `is_the_makers` is false of a
    confirmation that is in the service unit's hands.
    """

    paper: str
    words: str
    who: str
    kind: str
    is_the_makers: bool = True

    def __str__(self) -> str:
        return _("%(words)s：请%(who)s办理") % {"words": self.words, "who": self.who}


def lacks(model: DeviceModel, on: date | None = None) -> list[Lack]:
    """What keeps `model` from being put in on that day (today where none is told); empty where it
    is admitted. One query for a model that lacks nothing."""
    on = on or clock.today()
    if DeviceModel.objects.admitted(on).filter(pk=model.pk).exists():
        return []
    found = [] if model.register_maps.exists() else [_no_map()]
    if confirmation := _confirmation_lack(model, on):
        found.append(confirmation)
    return found + [lack for kind in GATING if (lack := _paper_lack(model, kind, on))]


def sentences(model: DeviceModel, on: date | None = None) -> list[str]:
    """The same for people: each names the model, and says who does what."""
    return [f"{model.code} {lack}" for lack in lacks(model, on)]


def turns(models: Collection[int]) -> dict[int, list[date]]:
    """The days on which what these models lack, or the map of their units, may become another, in
    order: on all days between two of them `lacks` says the same. Four queries."""
    found: dict[int, set[date]] = {pk: set() for pk in models}
    papers = MakerPaper.objects.filter(model__in=models, kind__in=GATING)
    confirmations = Confirmation.objects.filter(model__in=models)
    for rows in (papers, confirmations):
        for pk, begins, ends in rows.values_list("model", "valid_from", "valid_until"):
            found[pk] |= {begins} if begins else set()
            found[pk] |= {ends + timedelta(days=1)} if ends and ends < date.max else set()
    withdrawn = papers.exclude(withdrawn_at=None)
    for pk, added, over in withdrawn.values_list("model", "added_at", "withdrawn_at"):
        found[pk] |= {clock.day_of(moment) for moment in (added, over) if moment}
    acts = ConfirmationAct.objects.filter(confirmation__model__in=models)
    for pk, moment in acts.values_list("confirmation__model", "at"):
        found[pk].add(clock.day_of(moment))
    return {pk: sorted(days) for pk, days in found.items()}


def _no_map() -> Lack:
    return Lack(_("点表"), _("没有点表"), _("供应商"), MAP)


def _confirmation_lack(model: DeviceModel, on: date) -> Lack | None:
    if confirmation_of(model, on):
        return None
    paper = _("数据对接确认书") if settings.APPOINTED_PLATFORM else _("市平台数据对接确认书")
    newest = Confirmation.objects.counting().filter(model=model).first()
    if newest is None:
        return Lack(paper, _("没有%(paper)s") % {"paper": paper}, _who_brings_it(), CONFIRMATION)
    in_hand = newest.state in (ConfirmationState.SIGNING, ConfirmationState.SUSPENDED)
    who = _("平台服务单位") if in_hand else _who_brings_it()
    return Lack(paper, _standing(paper, newest, on), who, CONFIRMATION, not in_hand)


def _who_brings_it() -> str:
    if settings.APPOINTED_PLATFORM:
        return _("供应商")
    return _("供应商（取得后交平台服务单位录入）")


def _standing(paper: str, newest: Confirmation, on: date) -> str:
    if newest.state == ConfirmationState.VALID and newest.valid_from <= on <= newest.valid_until:
        return _("%(paper)s当天暂停使用") % {"paper": paper}
    if newest.state == ConfirmationState.VALID:
        return f"{paper}{_of_that_day(newest.valid_from, newest.valid_until, on)}"
    return _("%(paper)s%(state)s") % {"paper": paper, "state": newest.get_state_display()}


def _paper_lack(model: DeviceModel, kind: MakerPaperKind, on: date) -> Lack | None:
    rows = MakerPaper.objects.filter(model=model, kind=kind)
    if rows.valid_on(on).exists():
        return None
    paper, newest = str(kind.label), rows.standing().order_by("-valid_until").first()
    if newest is None:
        return Lack(paper, _("没有%(paper)s") % {"paper": paper}, _("供应商"), kind)
    said = _of_that_day(newest.valid_from, newest.valid_until, on)
    return Lack(paper, f"{paper}{said}", _("供应商"), kind)


def _of_that_day(begins: date | None, ends: date | None, on: date) -> str:
    """Why a paper is not in force on that day."""
    if begins and begins > on:
        return _("自 %(begins)s 起有效，此前没有") % {"begins": begins}
    return _("已于 %(ends)s 到期") % {"ends": ends}


def confirmation_of(model: DeviceModel, on: date) -> Confirmation | None:
    """The confirmation in force on that day, the newest of them."""
    return Confirmation.objects.valid_on(on).filter(model=model).first()


def confirmation_under(record: Installation) -> Confirmation | None:
    """The confirmation under which a unit stands: that of the day on which it was put in, else the
    one that came later."""
    model = record.unit.model
    that_day = confirmation_of(model, record.installed_on)
    return that_day or confirmation_of(model, clock.today())


# -- what exists, and what follows when a paper comes ------------------------------------------


def papers_came(model: DeviceModel) -> int:
    """Let those installations count that lacked nothing but the model's papers, from the day on
    which all of them were in force; answers how many. Asked again it changes nothing.

    Called when a paper is added or a confirmation becomes valid, and each hour for what begins to
    be in force by its date.
    """
    since = _in_force_since(model, clock.today())
    if since is None:
        return 0
    waiting = Installation.objects.standing().filter(
        unit__model=model,
        household__papers_incomplete=True,
        household__installed_on=None,
        household__withdrawn_on=None,
    )
    n = 0
    for record in waiting.select_related("household"):
        note = _("材料补齐后自动计入")
        n += path.mend(record.household, StepKind.INSTALLED, since=since, note=note)
        path.mend(record.household, StepKind.COMMISSIONED, since=since, note=note)
    return n


def all_papers_came() -> int:
    """`papers_came` for every model of which an installation waits."""
    waiting = Installation.objects.standing().filter(
        household__papers_incomplete=True, household__installed_on=None
    )
    models = DeviceModel.objects.admitted().filter(pk__in=waiting.values("unit__model"))
    return sum(papers_came(model) for model in models)


def standing_of(model: DeviceModel) -> InstallationQuerySet:
    """Where units of the model stand: what a revocation lists and does not touch."""
    rows = Installation.objects.standing().filter(unit__model=model)
    return rows.select_related("household__area__owner", "unit").order_by("household__number")


def _in_force_since(model: DeviceModel, on: date) -> date | None:
    """Since when all of the model's papers that are in force on that day are so; None where one is
    missing."""
    if lacks(model, on):
        return None
    begin = F("valid_from").asc(nulls_first=True)
    confirmed = min(map(_held_since, Confirmation.objects.valid_on(on).filter(model=model)))
    papers = MakerPaper.objects.valid_on(on).filter(model=model)
    begins = [papers.filter(kind=kind).order_by(begin)[0].valid_from for kind in GATING]
    return max([confirmed, *(day for day in begins if day)])


def _held_since(confirmation: Confirmation) -> date:
    """Since when one that is in force has been so without a break: a suspended one holds again
    from the day on which it was restored."""
    acts = list(confirmation.acts.all())
    if not any(act.state in ENDED for act in acts):
        return confirmation.valid_from
    return max(confirmation.valid_from, acts[-1].at.astimezone(clock.SHANGHAI).date())
