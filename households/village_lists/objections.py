"""What is said of a list: by anybody during its notice, by reviewers of a single household."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from households import clock
from households.models import ListEntry, ListState, Objection, User, VillageList
from households.village_lists.village_list import ListRefused, prepares


@transaction.atomic
def object_to(village_list: VillageList, *, on: date, text: str, by: User) -> Objection:
    """Take down what somebody said against the list; it must be settled before submission."""
    state = _held(village_list.pk).state
    if state not in (ListState.NOTICE, ListState.SUBMITTED) or not prepares(by):
        raise ListRefused(_("公示期间和审核之前才能登记异议"))
    if on > clock.today() or (village_list.notice_from and on < village_list.notice_from):
        raise ListRefused(_("异议日期应在公示开始之后、今天之前"))
    return Objection.objects.create(
        village_list=village_list, raised_on=on, text=text, by=by, at=clock.now()
    )


@transaction.atomic
def settle(objection: Objection, *, outcome: str, by: User) -> None:
    """Say how an objection ended."""
    objection = Objection.objects.select_for_update().get(pk=objection.pk)
    if not prepares(by) or objection.outcome:
        raise ListRefused(_("这条异议已经有处理结果，或者您的账号不能处理"))
    objection.outcome, objection.settled_on = outcome, clock.today()
    objection.settled_by = by
    objection.save()


@transaction.atomic
def remark(entry: ListEntry, text: str, *, by: User) -> None:
    """What the reviewer says of one household; the village finds it beside its row."""
    state = _held(entry.village_list_id).state
    reviewing = (by.reviews_lists and state == ListState.SUBMITTED) or (
        by.files_lists and state == ListState.REVIEWED
    )
    if not reviewing:
        raise ListRefused(_("审核时才能填写审核意见"))
    entry.remark = text
    entry.save(update_fields=["remark"])


def _held(pk: int) -> VillageList:
    """The list as it is now, kept from others until the transaction ends."""
    return VillageList.objects.select_for_update().get(pk=pk)
