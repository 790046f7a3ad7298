"""The draft of a model's next register map: the editor, its check as one types, and handing in."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from devices.makers import access
from devices.maps import checking, comparing, files, known, names, pages, sheet
from devices.maps.sheet import COLUMNS, MAX_POINTS, Sheet
from devices.modbus import mapcolumns, pointmap, rawtypes, signals
from devices.modbus.cells import AREAS, CellRefused
from devices.models import DeviceModel, MapDraft, RegisterMap
from households import clock
from households.models import User
from households.requests import SignedIn
from households.templatetags.office import day_time

# What the editor offers while one types; anything else may be written too.
CHOICES: dict[str, list[str]] = {
    "area": [word for word in AREAS if word.isascii()],
    "type": list(rawtypes.NUMBER_TYPES),
    "order": [*rawtypes.ORDERS_32, *rawtypes.ORDERS_16],
    "access": ["r", "w", "rw"],
    "write_method": list(mapcolumns.METHODS),
    "write_area": ["holding", "coil"],
    "write_type": list(rawtypes.NUMBER_TYPES),
}
SETTING_CHOICES: dict[str, list[str]] = {
    "kind": list(mapcolumns.KINDS),
    "medium": ["water", "air"],
    "baud": ["4800", "9600", "19200", "38400", "57600", "115200"],
    "parity": ["N", "E", "O"],
    "stop_bits": ["1", "2"],
    "address_width": ["1", "2"],
    "address_order": ["big", "little"],
    "address_base": ["0", "1", "manual"],
    "holes": ["exception", "zero", "silent"],
    "persist": ["ram", "eeprom", "unknown"],
    "unlock_keep": ["no", "yes"],
    "control_side": ["supply", "return"],
    "indoor_source": ["room", "return_air", "controller"],
}
# Shown whether or not a row fills them, as on the office's own sheets.
USUAL = (
    *("signal", "name", "area", "address", "type", "order", "scale", "unit", "access", "min"),
    *("max", "enum", "bits", "mask", "invalid", "write_method"),
)


# --- making one -------------------------------------------------------------------------------


def given(model: DeviceModel) -> dict[str, str]:
    """The settings that follow from the model."""
    return {
        "maker": model.supplier.name,
        "model": model.code,
        "kind": model.kind,
        "medium": model.medium,
    }


def put(
    model: DeviceModel, written: Sheet, by: User, based_on: RegisterMap | None = None
) -> MapDraft:
    """Make `written` the model's draft, in place of what was there."""
    fields: dict[str, Any] = {
        "content": written.content(),
        "based_on": based_on,
        "saved_by": by,
        "saved_at": clock.now(),
    }
    with transaction.atomic():
        before = MapDraft.objects.select_for_update().filter(model=model).first()
        fields["edits"] = before.edits + 1 if before else 0
        draft, _made = MapDraft.objects.update_or_create(model=model, defaults=fields)
    return draft


def blank(model: DeviceModel) -> Sheet:
    """What Annex 2 asks for, still without addresses."""
    written = sheet.read(mapcolumns.template().encode(), "template.csv")
    wanted = {*signals.READINGS, *signals.WRITINGS, "fault_bits"}
    written.points = [point for point in written.points if point[0] in wanted]
    for pair in written.settings:
        pair[1] = given(model).get(pair[0], "")
    return written


@login_required
@require_POST
def start_draft(request: SignedIn, pk: int) -> HttpResponse:
    """A draft from a version (`from` is its number) or from nothing. One that is there stays."""
    model = access.own_model(request.user, pk)
    if not MapDraft.objects.filter(model=model).exists():
        source = request.POST.get("from", "")
        number = int(source) if source.isdecimal() and len(source) < 9 else None
        version = model.register_maps.filter(version=number).first() if number else None
        if number and version is None:
            raise Http404
        written = pages.sheet_of(version) if version else blank(model)
        put(model, written, request.user, version)
    return redirect("map_draft", pk)


# --- the editor -------------------------------------------------------------------------------


@login_required
@never_cache
@require_safe
def map_draft(request: SignedIn, pk: int) -> HttpResponse:
    """The editor; without a draft, what one can be made of."""
    model = access.own_model(request.user, pk)
    draft = MapDraft.objects.select_related("based_on", "saved_by").filter(model=model).first()
    if draft is None:
        return redirect("map_upload", pk)
    return render(request, "devices/maps/draft.html", editor(draft))


def editor(draft: MapDraft, asked: known.Asked | None = None) -> dict[str, object]:
    """The context of the editor; `asked` is a known register that could not be taken."""
    written = of_draft(draft)
    model = draft.model
    newest = model.register_maps.order_by("-version").first()
    return {
        "draft": draft,
        "model": model,
        "version": newest.version + 1 if newest else 1,
        "newest": newest,
        "units": pages.in_service(draft.based_on) if draft.based_on else 0,
        "asked": asked or known.Asked(),
        "areas": CHOICES["area"],
        "start": {
            **written.as_json(),
            "edits": draft.edits,
            "columns": [{"key": key, "head": head} for key, head in names.heads().items()],
            "usual": USUAL,
            "choices": CHOICES | {"signal": list(signals.signals())},
            "settingChoices": SETTING_CHOICES,
            "settingNames": names.settings_with_defaults(),
            "inWords": names.settings_in_words(),
            "signalNames": {name: names.label(name, model.medium) for name in signals.signals()},
            "limit": MAX_POINTS,
            "found": told(checking.look(written, model)),
        },
    }


def of_draft(draft: MapDraft) -> Sheet:
    """A draft as rows of text."""
    return sheet.read(draft.content.encode(), "draft.csv")


def told(found: checking.Findings) -> dict[str, Any]:
    """What the editor shows of a check: at the cells, beside the rows, in its lists and cards."""
    return {
        "cells": found.cells(),
        "wire": found.wire,
        "mistakes": found.mistakes,
        "reminders": found.reminders,
        "findings": render_to_string("devices/maps/parts/findings.html", {"findings": found}),
        "annex": render_to_string("devices/maps/parts/annex.html", {"annex": found.annex}),
    }


def _asked(act: Callable[[SignedIn, DeviceModel, dict[str, Any], Sheet], HttpResponse]) -> Any:
    """A question of the editor, with the sheet as it is on the screen now."""

    @login_required
    @require_POST
    @wraps(act)
    def view(request: SignedIn, pk: int) -> HttpResponse:
        model = access.own_model(request.user, pk)
        try:
            body = json.loads(request.body)
            written = sheet.of_json(body)
        except (ValueError, RecursionError):
            return JsonResponse({"error": _("不是点表的内容")}, status=400)
        except CellRefused as refusal:
            return JsonResponse({"error": _(refusal.template) % refusal.params}, status=400)
        return act(request, model, body, written)

    return view


@_asked
def check_draft(
    request: SignedIn, model: DeviceModel, body: dict[str, Any], written: Sheet
) -> HttpResponse:
    """What is wrong in it; nothing is kept."""
    return JsonResponse(told(checking.look(written, model)))


@_asked
def save_draft(
    request: SignedIn, model: DeviceModel, body: dict[str, Any], written: Sheet
) -> HttpResponse:
    """Keep it, mistakes and all; 409 where somebody else saved since `edits` was read."""
    edits = body.get("edits")
    if not isinstance(edits, int):
        return JsonResponse({"error": _("不是点表的内容")}, status=400)
    now = clock.now()
    mine = MapDraft.objects.filter(model=model, edits=edits).update(
        content=written.content(), edits=edits + 1, saved_by=request.user, saved_at=now
    )
    if mine:
        said = _("%(time)s 已暂存") % {"time": now.astimezone(clock.SHANGHAI).strftime("%H:%M")}
        return JsonResponse({"edits": edits + 1, "said": said})
    draft = MapDraft.objects.select_related("saved_by").filter(model=model).first()
    if draft is None:
        return JsonResponse({"error": _("草稿已提交或放弃，请先把内容复制出来")}, status=410)
    error = _("%(who)s 在 %(time)s 另存了一稿，您的修改还没有暂存") % {
        "who": draft.saved_by,
        "time": day_time(draft.saved_at),
    }
    return JsonResponse({"error": error, "edits": draft.edits}, status=409)


@_asked
def decode_draft(
    request: SignedIn, model: DeviceModel, body: dict[str, Any], written: Sheet
) -> HttpResponse:
    """What words mean by one row of it; rows that have mistakes are left out."""
    row, text = body.get("row"), str(body.get("words", ""))[:2000]
    found = checking.look(written, model)
    wrong = {r.row for r in found.remarks if r.is_mistake}
    last = written.first_row + len(written.points)
    if not isinstance(row, int) or not written.first_row <= row < last or row in wrong:
        context: dict[str, object] = {"refused": _("请先改正这一行的错误")}
        return render(request, "devices/maps/parts/decoded.html", context)
    for number in wrong:
        if number and written.first_row <= number < last:
            written.points[number - written.first_row] = [""] * len(COLUMNS)
    point_map = pointmap.check(written.content().encode(), "draft.csv").map
    if point_map is None:
        context = {"refused": _("请先改正设置里的错误，以及这一行所依赖的行")}
    else:
        signal = next(point.signal for point in point_map.points if point.row == row)
        context = pages.decoded(point_map, signal, text, row)
    return render(request, "devices/maps/parts/decoded.html", context)


# --- and what becomes of it -------------------------------------------------------------------


@login_required
@require_POST
def submit_draft(request: SignedIn, pk: int) -> HttpResponse:
    """Hand it in as the next version, if it has no mistake and is what the maker saw."""
    model = access.own_model(request.user, pk)
    with transaction.atomic():
        DeviceModel.objects.select_for_update().get(pk=model.pk)  # versions are counted one by one
        draft = get_object_or_404(MapDraft.objects.select_for_update(), model=model)
        return _submit(request, draft)


def _submit(request: SignedIn, draft: MapDraft) -> HttpResponse:
    asked = known.Asked.of_form(request.POST)
    if request.POST.get("edits") != str(draft.edits):
        messages.error(request, _("草稿在提交之前又有人改过，没有提交。请核对后再提交。"))
        return redirect("map_draft", draft.model_id)
    try:
        register = asked.register(of_draft(draft).setting("address_base"))
    except known.NotKnown as refusal:
        context = editor(draft, asked.with_error(refusal.sentence))
        return render(request, "devices/maps/draft.html", context, status=422)
    count = draft.model.register_maps.count()
    try:
        version = RegisterMap.objects.add(
            draft.model,
            draft.content.encode(),
            "draft.csv",
            submitted_by=request.user,
            known=register,
        )
    except pointmap.MapRefused:
        messages.error(request, _("还有错误，没有提交。"))
        return redirect("map_draft", draft.model_id)
    if draft.model.register_maps.count() == count:
        said = _("与第 %(version)s 版意思相同，没有产生新版本。") % {"version": version.version}
        messages.error(request, said)
        return redirect("map_draft", draft.model_id)
    draft.delete()
    said = _("已提交为第 %(version)s 版，可以用它申请数据对接。") % {"version": version.version}
    messages.success(request, said)
    return redirect("register_map", version.pk)


@login_required
@require_POST
def discard_draft(request: SignedIn, pk: int) -> HttpResponse:
    """Give the draft up; the versions stay."""
    model = access.own_model(request.user, pk)
    MapDraft.objects.filter(model=model).delete()
    messages.success(request, _("草稿已放弃，已提交的版本没有变化。"))
    return redirect("register_maps")


@login_required
@require_safe
def draft_file(request: SignedIn, pk: int, suffix: str) -> HttpResponse:
    """The draft as CSV or XLSX, as it was last saved."""
    draft = get_object_or_404(MapDraft, model=access.own_model(request.user, pk))
    if suffix not in files.KINDS:
        raise Http404
    return files.response(draft.content, f"{draft.model.code}-点表-草稿", suffix)


@login_required
@require_safe
def compare_draft(request: SignedIn, pk: int) -> HttpResponse:
    """The draft beside the newest version."""
    model = access.own_model(request.user, pk)
    draft = get_object_or_404(MapDraft, model=model)
    before = model.register_maps.order_by("-version").first()
    if before is None:
        raise Http404
    point_map = pointmap.check(draft.content.encode(), "draft.csv").map
    after = sheet.of_map(point_map) if point_map else of_draft(draft)
    found = comparing.compare(pages.sheet_of(before), after)
    context = {"draft": draft, "model": model, "before": before, "has_mistakes": not point_map}
    return render(request, "devices/maps/compare.html", context | pages.compared(found))
