"""Register maps that are handed in: the list by model, a version's page, two versions compared,
words decoded by hand, downloads."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from devices.makers import access
from devices.maps import annex, by_hand, checking, comparing, files, names, sheet
from devices.maps.sheet import COLUMNS, Sheet
from devices.modbus.pointmap import PointMap
from devices.modbus.points import ValueRefused
from devices.models import DeviceModel, RegisterMap, Supplier
from households.requests import SignedIn

# Columns of a version's table besides those that its rows fill.
ALWAYS = ("signal", "name", "area", "address", "type")


def maps_of(request: SignedIn) -> QuerySet[RegisterMap]:
    """The versions that the user may see, with the units in service that use them. Raises
    PermissionDenied."""
    access.see_that_reads(request.user)
    using = Count("units", filter=Q(units__retired_at=None))
    rows = RegisterMap.objects.visible_to(request.user).annotate(in_service=using)
    return rows.select_related("model__supplier", "submitted_by")


@login_required
@require_safe
def register_maps(request: SignedIn) -> HttpResponse:
    """Every model with its newest version and its draft."""
    access.see_that_reads(request.user)
    using = Count("units", filter=Q(units__retired_at=None))
    models = DeviceModel.objects.filter(supplier__in=Supplier.objects.visible_to(request.user))
    models = models.select_related("supplier", "map_draft").annotate(in_service=using)
    versions = RegisterMap.objects.visible_to(request.user).order_by("model_id", "-version")
    newest = {version.model_id: version for version in versions.distinct("model_id")}
    lines = [_line(model, newest.get(model.pk)) for model in models.order_by("supplier", "code")]
    return render(request, "devices/maps/list.html", {"lines": lines})


@dataclass(frozen=True)
class Line:
    """A model in the list, with the check of its newest version against Annex 2."""

    model: DeviceModel
    newest: RegisterMap | None
    points: int
    annex: annex.Annex | None


def _line(model: DeviceModel, newest: RegisterMap | None) -> Line:
    if newest is None:
        return Line(model, None, 0, None)
    parsed = newest.parsed()
    return Line(model, newest, len(parsed.points), annex.compare(parsed.missing(), model.medium))


@login_required
@require_safe
def register_map(request: SignedIn, pk: int) -> HttpResponse:
    """One version: its rows with their addresses on the wire, Annex 2, its settings."""
    version = get_object_or_404(maps_of(request), pk=pk)
    written = sheet_of(version)
    found = checking.look(written, version.model)
    columns = [
        (n, column)
        for n, column in enumerate(COLUMNS)
        if column in ALWAYS or any(point[n] for point in written.points)
    ]
    heads = names.heads()
    context = {
        "map": version,
        "versions": version.model.register_maps.order_by("-version"),
        "previous": version.model.register_maps.filter(version__lt=version.version).first(),
        "findings": found,
        "heads": [(column, heads[column]) for _n, column in columns],
        "rows": _rows(written, found, columns),
        "settings": [(name, names.SETTINGS.get(name, ""), text) for name, text in written.settings],
        "signals": signals_of(version),
        "is_own": request.user.is_maker,
        "to_apply": request.user.is_maker and _waits_for_a_test(version),
    }
    return render(request, "devices/maps/version.html", context)


def _waits_for_a_test(version: RegisterMap) -> bool:
    """Whether an application for this version is what comes next: nobody has asked for a test of
    it, and none of the model is under way."""
    asked = version.model.applications
    return not (asked.filter(register_map=version).exists() or asked.open().exists())


def sheet_of(version: RegisterMap) -> Sheet:
    """A version as rows of text."""
    return sheet.of_map(version.parsed())


def in_service(version: RegisterMap) -> int:
    """How many units use a version now."""
    return version.units.filter(retired_at=None).count()


def _rows(
    written: Sheet, found: checking.Findings, columns: list[tuple[int, str]]
) -> list[dict[str, object]]:
    doubts = {(remark.row, remark.column): remark.reason for remark in found.remarks}
    return [
        {
            "number": number,
            "wire": found.wire.get(number, "—"),
            "cells": [(c, point[n], doubts.get((number, c), "")) for n, c in columns],
        }
        for number, point in enumerate(written.points, written.first_row)
    ]


def signals_of(version: RegisterMap) -> list[tuple[str, str]]:
    """What can be decoded: the signal's name, and how the page calls it."""
    medium = version.model.medium
    readable = [point.signal for point in version.parsed().points if point.readable]
    return [(name, names.label(name, medium)) for name in dict.fromkeys(readable)]


@login_required
@require_safe
def decode_map(request: SignedIn, pk: int) -> HttpResponse:
    """What words mean by a version: the part of its page that answers."""
    version = get_object_or_404(maps_of(request), pk=pk)
    asked = request.GET.get("signal", ""), request.GET.get("words", "")
    context = decoded(version.parsed(), *asked)
    return render(request, "devices/maps/parts/decoded.html", context)


def decoded(
    point_map: PointMap, signal: str, text: str, row: int | None = None
) -> dict[str, object]:
    """The context of parts/decoded.html."""
    if not text.strip():
        return {}
    try:
        return {"decoded": by_hand.decode(point_map, signal, by_hand.words_of(text), row)}
    except ValueRefused as refusal:
        return {"refused": _(refusal.template) % refusal.params}


@login_required
@require_safe
def compare_maps(request: SignedIn, pk: int) -> HttpResponse:
    """A version beside an older one of its model: `?with=` its number, else the one before."""
    version = get_object_or_404(maps_of(request), pk=pk)
    others = version.model.register_maps.exclude(pk=pk).order_by("-version")
    wanted = request.GET.get("with", "")
    before = (
        others.filter(version=int(wanted)).first()
        if wanted.isdecimal() and len(wanted) < 9
        else others.filter(version__lt=version.version).first()
    )
    if before is None:
        raise Http404
    found = comparing.compare(sheet_of(before), sheet_of(version))
    context = {"map": version, "model": version.model, "before": before, "others": others}
    return render(request, "devices/maps/compare.html", context | compared(found))


def compared(found: comparing.Comparison) -> dict[str, object]:
    """The context of parts/comparison.html."""
    return {"found": found, "heads": names.heads(), "settings": names.SETTINGS}


@login_required
@require_safe
def map_file(request: SignedIn, pk: int, suffix: str) -> HttpResponse:
    """A version as CSV or XLSX."""
    version = get_object_or_404(maps_of(request), pk=pk)
    if suffix not in files.KINDS:
        raise Http404
    name = f"{version.model.code}-点表-第{version.version}版"
    return files.response(version.content, name, suffix)


@login_required
@require_safe
def map_template(request: SignedIn, suffix: str) -> HttpResponse:
    """An empty register map to fill in, as CSV or XLSX."""
    access.see_that_reads(request.user)
    if suffix not in files.KINDS:
        raise Http404
    return files.template(suffix)
