"""Files of makers: a register map becomes the draft at once, a list of their own after mapping."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from devices.makers import access
from devices.maps import checking, drafts, names, sheet
from devices.maps.mapping import BASES, SPECIAL, TARGETS, Mapping, apply, suggest
from devices.maps.sheet import COLUMNS, NoSheet, Sheet
from devices.modbus import mapfile
from devices.modbus.cells import AREAS, CellRefused
from devices.modbus.mapfile import Row
from devices.models import DeviceModel, MapDraft, MapUpload
from households import clock
from households.ledger.escaping import unescape
from households.models import User
from households.requests import SignedIn

SHOWN_ROWS = 12  # of a list and of what would become of it
KEPT = 20  # newest uploads of a model
PASTED = "pasted.csv"


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def map_upload(request: SignedIn, pk: int) -> HttpResponse:
    """What a draft can be made of: a file, pasted cells, a version, nothing."""
    model = access.own_model(request.user, pk)
    if request.method != "POST":
        return _start_page(request, model)
    if MapDraft.objects.filter(model=model).exists() and "replace" not in request.POST:
        refusal = _("这个型号已有草稿：勾选“替换现在的草稿”后再上传，或先下载草稿留底")
        return _start_page(request, model, refusal)
    try:
        name, rows = _rows_sent(request)
        return _take(model, name, rows, request.user)
    except CellRefused as refused:
        return _start_page(request, model, _(refused.template) % refused.params)


def _start_page(request: SignedIn, model: DeviceModel, error: str = "") -> HttpResponse:
    context = {
        "model": model,
        "draft": MapDraft.objects.filter(model=model).first(),
        "versions": model.register_maps.order_by("-version"),
        "uploads": model.map_uploads.select_related("uploaded_by")[:KEPT],
        "error": error,
        "pasted": request.POST.get("pasted", ""),
    }
    return render(request, "devices/maps/upload.html", context, status=422 if error else 200)


def _rows_sent(request: HttpRequest) -> tuple[str, list[Row]]:
    """The rows of the file, or of the pasted text; raises CellRefused."""
    file = request.FILES.get("file")
    if isinstance(file, UploadedFile):
        name = (file.name or "")[-100:]
        rows = mapfile.read_rows(file.read(mapfile.MAX_BYTES + 1), name)
    else:
        name, rows = PASTED, mapfile.read_rows(_as_csv(request.POST.get("pasted", "")), PASTED)
    return name, [Row(row.number, tuple(map(unescape, row.cells))) for row in rows]


def _as_csv(pasted: str) -> bytes:
    """Cells that were copied in a spreadsheet come with tabs between them."""
    if "\t" not in pasted:
        return pasted.encode()
    return mapfile.written(line.split("\t") for line in pasted.splitlines()).encode()


def _take(model: DeviceModel, name: str, rows: list[Row], by: User) -> HttpResponse:
    try:
        written = sheet.of_rows(rows)
    except NoSheet:
        return redirect("map_mapping", _kept(model, name, rows, by).pk)
    drafts.put(model, written, by)
    return redirect("map_draft", model.pk)


def _kept(model: DeviceModel, name: str, rows: list[Row], by: User) -> MapUpload:
    """The list as it came; the oldest of many go."""
    upload = MapUpload.objects.create(
        model=model,
        filename=name,
        content=mapfile.written([sheet.clean(text) for text in row.cells] for row in rows),
        uploaded_by=by,
        uploaded_at=clock.now(),
    )
    newest = model.map_uploads.values_list("pk", flat=True)[:KEPT]
    model.map_uploads.exclude(pk__in=list(newest)).delete()
    return upload


# --- mapping ------------------------------------------------------------------------------------


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def map_mapping(request: SignedIn, pk: int) -> HttpResponse:
    """Which column of a maker's own list is which; posted, the list becomes the draft."""
    upload = _upload(request, pk)
    rows = _rows_of(upload)
    if request.method != "POST":
        return render(request, "devices/maps/mapping.html", _page(upload, rows, _known(upload)))
    mapping, error = _chosen(request.POST, rows), ""
    if mapping.lacks:
        error = _("请指明哪一列是地址")
    elif MapDraft.objects.filter(model=upload.model).exists() and "replace" not in request.POST:
        error = _("这个型号已有草稿：勾选“替换现在的草稿”后再采用，或先下载草稿留底")
    if not error:
        try:
            return _adopt(request, upload, rows, mapping)
        except CellRefused as refused:
            error = _(refused.template) % refused.params
    context = _page(upload, rows, mapping) | {"error": error}
    return render(request, "devices/maps/mapping.html", context, status=422)


def _adopt(
    request: SignedIn, upload: MapUpload, rows: list[list[str]], mapping: Mapping
) -> HttpResponse:
    written = apply(rows, mapping, drafts.given(upload.model))
    upload.mapping = mapping.as_json()
    upload.save(update_fields=["mapping"])
    drafts.put(upload.model, written, request.user)
    said = _("已按对应关系转成 %(n)s 行，请核对错误和提醒。") % {"n": len(written.points)}
    messages.success(request, said)
    return redirect("map_draft", upload.model_id)


@login_required
@require_POST
def map_preview(request: SignedIn, pk: int) -> HttpResponse:
    """What would become of the list: the part of the page that answers each choice."""
    upload = _upload(request, pk)
    rows = _rows_of(upload)
    context = _preview(upload, rows, _chosen(request.POST, rows))
    return render(request, "devices/maps/parts/preview.html", context)


def _upload(request: SignedIn, pk: int) -> MapUpload:
    company = access.own_company(request.user)
    rows = MapUpload.objects.select_related("model__supplier")
    return get_object_or_404(rows.filter(model__supplier=company), pk=pk)


def _rows_of(upload: MapUpload) -> list[list[str]]:
    return [list(row.cells) for row in mapfile.read_rows(upload.content.encode(), PASTED)]


def _known(upload: MapUpload) -> Mapping:
    """As it was chosen before: for this list, or for the maker's latest with the same heads."""
    if upload.mapping:
        return Mapping.of_json(upload.mapping)
    heads = upload.content.splitlines()
    earlier = MapUpload.objects.filter(model__supplier=upload.model.supplier_id)
    for other in earlier.exclude(mapping=None)[:KEPT]:
        mapping = Mapping.of_json(other.mapping or {})
        theirs = other.content.splitlines()
        if theirs[mapping.head : mapping.head + 1] == heads[mapping.head : mapping.head + 1]:
            return mapping
    return suggest(_rows_of(upload))


def _chosen(posted: QueryDict, rows: list[list[str]]) -> Mapping:
    """The mapping of a form; what it does not know is as if it had not been chosen."""
    head = posted.get("head", "")
    width = max(map(len, rows), default=0)
    columns: dict[int, str] = {}
    for place in range(width):
        name = posted.get(f"column_{place}", "")
        if name in TARGETS and name not in columns.values():
            columns[place] = name
    area, base = posted.get("area", ""), posted.get("base", "")
    return Mapping(
        min(int(head), len(rows) - 1) if head.isdecimal() and len(head) < 6 else 0,
        columns,
        area if area in AREAS else "holding",
        base if base in BASES else "0",
        "only_known" in posted,
    )


def _page(upload: MapUpload, rows: list[list[str]], mapping: Mapping) -> dict[str, object]:
    width = max(map(len, rows), default=0)
    first = rows[mapping.head] if mapping.head < len(rows) else []
    heads = names.heads()
    body = rows[mapping.head + 1 : mapping.head + 4]
    columns = [
        {
            "place": place,
            "head": first[place] if place < len(first) else "",
            "examples": [row[place] for row in body if place < len(row) and row[place]],
            "chosen": mapping.columns.get(place, ""),
        }
        for place in range(width)
    ]
    targets = [(name, words) for name, words in (*SPECIAL.items(), *heads.items())]
    return {
        "upload": upload,
        "model": upload.model,
        "rows": len(rows),
        "first_rows": list(enumerate(rows[:SHOWN_ROWS])),
        "mapping": mapping,
        "columns": columns,
        "targets": targets,
        "areas": [word for word in AREAS if word.isascii()],
        "bases": BASES,
        "has_draft": MapDraft.objects.filter(model=upload.model).exists(),
    } | _preview(upload, rows, mapping)


@dataclass(frozen=True)
class Preview:
    """The first rows of what would come out; how many there are, and how many have mistakes."""

    heads: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    count: int = 0
    wrong: int = 0


def _preview(upload: MapUpload, rows: list[list[str]], mapping: Mapping) -> dict[str, object]:
    if mapping.lacks:
        return {"preview": Preview(), "cannot": _("请指明哪一列是地址")}
    try:
        written = apply(rows, mapping, drafts.given(upload.model))
    except CellRefused as refused:
        return {"preview": Preview(), "cannot": _(refused.template) % refused.params}
    return {"preview": _shown(written, upload.model), "cannot": ""}


def _shown(written: Sheet, model: DeviceModel) -> Preview:
    found = checking.look(written, model)
    wrong = {remark.row for remark in found.remarks if remark.is_mistake}
    filled = [n for n, _name in enumerate(COLUMNS) if any(point[n] for point in written.points)]
    return Preview(
        [names.heads()[COLUMNS[n]] for n in filled],
        [[point[n] for n in filled] for point in written.points[:SHOWN_ROWS]],
        len(written.points),
        sum(number in wrong for number, _row in enumerate(written.points, written.first_row)),
    )
