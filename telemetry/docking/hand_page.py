"""The steps that a tester makes at the sample: told, asked for, frozen and judged."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from devices.docking.applications import DockingRefused
from devices.modbus.bench import hand
from devices.modbus.signals import SEVEN
from households import clock, downloads, vault
from households.archive import incoming
from households.archive.incoming import FileRefused
from households.requests import SignedIn
from telemetry import cadence, points
from telemetry.docking import runs
from telemetry.docking.hand_forms import CAPTURES, FORMS, GUIDES, WATCHED, PanelForm
from telemetry.docking.shown import Row, rows_of, valued
from telemetry.docking.test_acts import for_testers
from telemetry.docking.test_page import the_run
from telemetry.latest import Form, form_of, values_of
from telemetry.lines import Connection
from telemetry.models import DockingStep, DockingTest, UnitState

FRESH = timedelta(minutes=2)  # older readings are not of what is at the sample now
PHOTOS = 6  # of one step


class NotFresh(Exception):
    """The platform has not read the sample lately; `sentence` says what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def docking_step(request: SignedIn, number: str, key: str) -> HttpResponse:
    """The guide and the form of one step; `?part=now` what the platform reads meanwhile."""
    run = the_run(request.user, number)
    step = get_object_or_404(run.steps.select_related("test"), key=key)
    for_testers(request.user)
    if key not in GUIDES:
        raise Http404
    if request.method == "POST":
        return _sent(request, run, step)
    if request.GET.get("part") == "now":
        cadence.still_watches(run.sample)
        return render(request, "telemetry/docking/parts/hand_now.html", _now(run, step))
    cadence.watch(run.sample)
    return _page(request, run, step, form_for(run, step))


def form_for(run: DockingTest, step: DockingStep, data: Any = None) -> forms.Form:
    """The form of a step by hand."""
    if step.key == "panel":
        map = run.sample.register_map.parsed()
        return PanelForm(data, map=map, medium=run.sample.model.medium)
    return FORMS[step.key](data)


def _page(request: SignedIn, run: DockingTest, step: DockingStep, form: forms.Form) -> HttpResponse:
    context = _now(run, step) | {
        "application": run.application,
        "row": Row.of(step),
        "guide": GUIDES[step.key],
        "form": form,
        "captures": _captures(run, step),
        "most": PHOTOS,
        "wants_photo": step.key in ("panel", "resistor", "sensor", "controller"),
        "traced": run.sample.gateway if step.key == "transmitter" else None,
    }
    status = 422 if form.errors else 200
    return render(request, "telemetry/docking/step.html", context, status=status)


def _now(run: DockingTest, step: DockingStep) -> dict[str, object]:
    """What the platform reads of the sample while somebody works at it."""
    state = UnitState.objects.filter(unit=run.sample).first()
    watched = WATCHED.get(step.key, ())
    busy = any(row.is_under_way and not row.is_long for row in rows_of(run))
    return {
        "application": run.application,
        "state": state,
        "values": [one for one in values_of(run.sample, state) if one.signal in watched],
        "busy": busy,
        "connection": Connection.of(run.sample.gateway) if step.key == "transmitter" else None,
    }


def _captures(run: DockingTest, step: DockingStep) -> list[dict[str, object]]:
    """Each frozen reading of a step: its name, and its values if it was taken."""
    form = form_of(run.sample.register_map)
    return [
        {
            "name": name,
            "label": label,
            "taken": [
                _said(signal, entry, form) for signal, entry in step.entered.get(name, {}).items()
            ],
        }
        for name, label in CAPTURES.get(step.key, {}).items()
    ]


def _said(signal: str, entry: dict[str, Any], form: Form) -> str:
    if entry["quality"] != "good":
        return f"{points.label(signal)} {points.quality_label(entry['quality'])[1]}"
    return f"{points.label(signal)} {valued(signal, entry['value'], form)}"


# What was sent


def _sent(request: SignedIn, run: DockingTest, step: DockingStep) -> HttpResponse:
    name = request.POST.get("capture", "")
    try:
        if name:
            return _capture(run, step, name)
        form = form_for(run, step, request.POST)
        if not form.is_valid():
            return _page(request, run, step, form)
        _judge(request, run, step, form)
    except (NotFresh, FileRefused, vault.VaultRefused, runs.RunRefused, DockingRefused) as refusal:
        messages.error(request, refusal.sentence)
        return redirect("docking_step", run.application.number, step.key)
    where = reverse("docking_test", args=[run.application.number])
    return redirect(f"{where}?step={step.key}#step")


def _capture(run: DockingTest, step: DockingStep, name: str) -> HttpResponse:
    """Freeze what the platform reads now under this name."""
    if name not in CAPTURES.get(step.key, {}):
        raise Http404
    entries = frozen(run, WATCHED[step.key])
    with transaction.atomic():
        held = DockingStep.objects.select_for_update().get(pk=step.pk)
        held.entered = held.entered | {name: entries}
        held.save(update_fields=["entered"])
    return redirect("docking_step", run.application.number, step.key)


def _judge(request: SignedIn, run: DockingTest, step: DockingStep, form: forms.Form) -> None:
    """The verdict from what was typed and frozen; photos go to the vault."""
    entered = dict(form.cleaned_data)
    if step.key == "panel":
        entered = {"values": entered}
    if step.key in ("panel", "resistor"):
        signals = SEVEN if step.key == "panel" else WATCHED[step.key]
        entered["platform"] = frozen(run, signals)
    if step.key == "transmitter":
        entered |= _dialled(run)
    for name, label in CAPTURES.get(step.key, {}).items():
        if name not in step.entered:
            raise NotFresh(_("还没有记下“%(name)s”的读数") % {"name": label})
        entered[name] = step.entered[name]
    map = run.sample.register_map.parsed().for_module(run.sample.module)
    result = hand.judge(step.key, map, entered)
    with transaction.atomic():
        photos = [*step.photos, *_photos(request, run, step)][-PHOTOS:]
        runs.finish_by_hand(step, request.user, result, entered, photos)


def _dialled(run: DockingTest) -> dict[str, Any]:
    """What the platform itself heard of the transmitter, beside what was typed."""
    seen = Connection.of(run.sample.gateway)
    at = seen.registered_at and seen.registered_at.isoformat(timespec="seconds")
    return {"registered_at": at, "heartbeats": seen.heartbeats}


def frozen(run: DockingTest, signals: tuple[str, ...]) -> dict[str, Any]:
    """The newest entries of these signals as the platform read them.

    Raises NotFresh where the sample has not answered within two minutes.
    """
    state = UnitState.objects.filter(unit=run.sample).first()
    if state is None or state.answered_at is None or state.answered_at < clock.now() - FRESH:
        raise NotFresh(_("平台两分钟内没有读到样机：请查看样机和通信链路，读到后再提交"))
    entries = {signal: state.entry(signal) for signal in signals}
    return {
        signal: {name: entry[name] for name in ("value", "quality", "raw", "at") if name in entry}
        for signal, entry in entries.items()
        if entry
    }


def _photos(request: SignedIn, run: DockingTest, step: DockingStep) -> list[str]:
    """The photos sent, as names of the vault; each with number, step and time written on it."""
    files = request.FILES.getlist("photos")
    if len(files) > PHOTOS:
        raise FileRefused(_("一次最多 %(n)d 张，请分几次传。") % {"n": PHOTOS})
    return [_photo(file, run, step) for file in files]


def _photo(file: UploadedFile, run: DockingTest, step: DockingStep) -> str:
    def words(taken_at: datetime | None) -> list[str]:
        moment = (taken_at or clock.now()).astimezone(clock.SHANGHAI)
        return [f"{moment:%Y-%m-%d %H:%M}", f"{run.application.number} {Row.of(step).title}"]

    kept = incoming.taken(incoming.whole(file), words)
    if kept.content_type != incoming.JPEG:
        raise FileRefused(_("这里只收照片：请拍照或选图片"))
    return vault.put(kept.data, purpose="document")


@login_required
@never_cache
@require_safe
def docking_photo(request: SignedIn, number: str, key: str, n: int) -> HttpResponseBase:
    """The n-th photo of a step, counted from 1."""
    run = the_run(request.user, number)
    step = get_object_or_404(run.steps, key=key)
    if not 1 <= n <= len(step.photos):
        raise Http404
    return downloads.paper(step.photos[n - 1], f"{number}-{key}-{n}.jpg", incoming.JPEG)
