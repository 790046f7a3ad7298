"""The live trace of a line's frames (报文跟踪): start, look on, stop, download."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from devices.models import Gateway
from households import clock, lists
from households.requests import SignedIn
from telemetry import lines
from telemetry.frame_words import Interpreter, Line
from telemetry.line_page import line_tended_by
from telemetry.models import LineTrace, TracedFrame

SHOWN = 200
HEARD_BEFORE = 30  # frames that explain those that are new


@login_required
@never_cache
@require_safe
def line_trace(request: SignedIn, pk: int) -> HttpResponse:
    """The newest frames; htmx asks by `?part=frames&after=ID` for those that came since."""
    line = line_tended_by(request, pk)
    if request.GET.get("part") == "frames":
        return _since(request, line)
    frames = TracedFrame.objects.filter(gateway=line)
    newest = list(frames.order_by("-pk")[: SHOWN + HEARD_BEFORE])[::-1]
    context = _state(line, newest) | {
        "standing": lines.standing_of(line),
        "lines": _told(line, newest[:-SHOWN], newest[-SHOWN:]),
    }
    return render(request, "telemetry/trace.html", context)


def _since(request: SignedIn, line: Gateway) -> HttpResponse:
    after = _number(request.GET.get("after", ""))
    frames = TracedFrame.objects.filter(gateway=line)
    before = list(frames.filter(pk__lte=after).order_by("-pk")[:HEARD_BEFORE])[::-1]
    news = list(frames.filter(pk__gt=after)[:SHOWN])
    context = _state(line, news or before) | {"lines": _told(line, before, news)}
    response = render(request, "telemetry/parts/frames_since.html", context)
    if not _runs(line):
        response["HX-Refresh"] = "true"  # it is over: the page's buttons are others now
    return response


def _runs(line: Gateway) -> bool:
    return LineTrace.objects.running().filter(gateway=line).exists()


def _number(text: str) -> int:
    """A row's number as an address gives it; 0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _state(line: Gateway, frames: list[TracedFrame]) -> dict[str, object]:
    trace = LineTrace.objects.select_related("by").filter(gateway=line).first()
    last = frames[-1].pk if frames else 0
    return {"line": line, "trace": trace, "last": last}


def _told(line: Gateway, before: list[TracedFrame], frames: list[TracedFrame]) -> list[Line]:
    interpreter = Interpreter(line)
    interpreter.hear(before)
    return list(interpreter.lines(frames))


@login_required
@require_POST
def trace_switch(request: SignedIn, pk: int) -> HttpResponse:
    """Start the trace, or go on ten minutes from now (`on`); else end it."""
    line = line_tended_by(request, pk)
    if request.POST.get("on"):
        LineTrace.objects.start(line.pk, request.user)
    elif trace := LineTrace.objects.filter(gateway=line).first():
        trace.end()
    return redirect("line_trace", pk)


@login_required
@require_safe
def trace_file(request: SignedIn, pk: int) -> HttpResponseBase:
    """All frames that are kept of the line, as text or as CSV (`?as=csv`)."""
    line = line_tended_by(request, pk)
    frames = TracedFrame.objects.filter(gateway=line)
    name = f"{_('报文')}-{lines.shown_id(line)}"
    if request.GET.get("as") == "csv":
        head = [_("时间"), _("方向"), _("报文"), _("含义"), _("校验")]
        return lists.csv_of(name, head, (_cells(one) for one in _all(line, frames)))
    texts = ("  ".join(map(str, _cells(one)[:4])) + "\n" for one in _all(line, frames))
    response = StreamingHttpResponse(texts, content_type="text/plain; charset=utf-8")
    stamp = f"{clock.now().astimezone(clock.SHANGHAI):%Y%m%d-%H%M}"
    disposition = content_disposition_header(True, f"{name}-{stamp}.txt")
    response["Content-Disposition"] = str(disposition)
    return response


def _all(line: Gateway, frames: QuerySet[TracedFrame]) -> Iterator[Line]:
    return Interpreter(line).lines(frames.iterator(chunk_size=2000))


def _cells(one: Line) -> list[Any]:
    at = one.frame.at.astimezone(clock.SHANGHAI)
    stamp = at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    check = "" if one.is_good else _("错误")
    return [stamp, one.frame.get_direction_display(), one.bytes, one.words, check]
