"""What people do to a docking test: begin it, run steps, judge it, write to the other side."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from devices.docking import applications
from devices.docking.applications import DockingRefused
from devices.docking.pages import found
from devices.models import DockingApplication, DockingState
from households import clock, notifications, personal_numbers
from households.models import User
from households.requests import SignedIn
from telemetry.docking import runs
from telemetry.docking.forms import StartForm
from telemetry.docking.test_page import NOTE_LENGTH, page, run_of, the_run


def for_testers(user: User) -> None:
    """Refuse who may look on but does not test; ask after the thing was found."""
    if not user.tests_docking:
        raise PermissionDenied(_("测试由平台服务单位办理；有问题请给测试员留言。"))


@login_required
@require_POST
def docking_test_start(request: SignedIn, number: str) -> HttpResponse:
    """A new run, with the chosen length of the soak."""
    application = found(request.user, number)
    for_testers(request.user)
    form = StartForm(request.POST)
    if not form.is_valid():
        return page(request, application, run_of(application), start_form=form)
    return _done(request, application, lambda: runs.start(application, request.user, **form.chosen))


@login_required
@require_POST
def docking_test_run(request: SignedIn, number: str) -> HttpResponse:
    """All steps that the platform runs by itself, one after the other."""
    run = the_run(request.user, number)
    for_testers(request.user)
    return _done(request, run.application, lambda: runs.queue_all(run, request.user))


@login_required
@require_POST
def docking_step_run(request: SignedIn, number: str, key: str) -> HttpResponse:
    """One step, for the first time or again."""
    run = the_run(request.user, number)
    step = get_object_or_404(run.steps, key=key)
    for_testers(request.user)
    return _done(request, run.application, lambda: runs.queue_step(step, request.user), key)


@login_required
@require_POST
def docking_step_stop(request: SignedIn, number: str, key: str) -> HttpResponse:
    """Take a step out of the queue, or break it off; what it wrote is put back."""
    run = the_run(request.user, number)
    step = get_object_or_404(run.steps, key=key)
    for_testers(request.user)
    return _done(request, run.application, lambda: runs.stop(step, request.user), key)


@login_required
@require_POST
def docking_test_judge(request: SignedIn, number: str) -> HttpResponse:
    """The verdict of the whole, from its steps."""
    run = the_run(request.user, number)
    for_testers(request.user)
    return _done(request, run.application, lambda: runs.judge(run, request.user))


def _done(
    request: SignedIn,
    application: DockingApplication,
    act: Callable[[], object],
    key: str = "",
) -> HttpResponse:
    """Do it, say so where it is refused, and go back to the page."""
    try:
        with transaction.atomic():
            act()
    except (runs.RunRefused, DockingRefused) as refusal:
        messages.error(request, refusal.sentence)
    where = reverse("docking_test", args=[application.number])
    return redirect(f"{where}?step={key}" if key else where)


@login_required
@require_POST
def docking_note(request: SignedIn, number: str) -> HttpResponse:
    """A note to the other side, kept with the application; the maker may ask for a retest so."""
    application = found(request.user, number)
    user = request.user
    if not (user.tests_docking or applications.acts_for(user, application)):
        raise PermissionDenied(_("留言由供应商和平台服务单位填写。"))
    text = " ".join(request.POST.get("text", "").split())
    if wrong := _wrong(application, text):
        messages.error(request, wrong)
    else:
        if request.POST.get("retest") and run_of(application):
            text = _("申请重测：%(text)s") % {"text": text}
        _write(application, user, text)
        messages.success(request, _("已留言，对方会收到消息。"))
    return redirect("docking_test", number)


def _wrong(application: DockingApplication, text: str) -> str:
    if application.state in (DockingState.DRAFT, DockingState.WITHDRAWN):
        return _("提交申请以后才能留言。")
    if not text:
        return _("请写明要说的事。")
    if len(text) > NOTE_LENGTH:
        return _("留言最多 %(n)d 字。") % {"n": NOTE_LENGTH}
    return personal_numbers.refused(text) or ""


@transaction.atomic
def _write(application: DockingApplication, by: User, text: str) -> None:
    now = clock.now()
    application.acts.create(state=application.state, on=clock.today(), reason=text, by=by, at=now)
    makers, testers = applications.people(application)
    others = makers if by.tests_docking else testers
    words = {"number": application.number, "model": application.model.code, "text": text}
    notifications.tell(
        others,
        lambda: _("数据对接 %(number)s（%(model)s）留言：%(text)s") % words,
        reverse("docking_test", args=[application.number]),
    )
