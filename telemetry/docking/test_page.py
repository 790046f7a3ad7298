"""The page of a docking test: live while it runs, for the maker too."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from devices.docking import applications
from devices.docking.pages import found, signers_named
from devices.models import DockingAct, DockingApplication, Gateway
from households import clock
from households.models import User
from households.requests import SignedIn
from telemetry import cadence, points
from telemetry.docking import evidence, runs
from telemetry.docking.forms import StartForm
from telemetry.docking.shown import DONE, Figures, Row, readings_of, rows_of
from telemetry.lines import state_of
from telemetry.models import (
    DockingStepState,
    DockingTest,
    Obligation,
    UnitState,
    WorkerState,
)

NOTE_LENGTH = 160  # characters of a note, as the form says
BUSY_S, LONG_S, IDLE_S = 2, 5, 15  # how often the page asks anew


@login_required
@never_cache
@require_safe
def docking_test(request: SignedIn, number: str) -> HttpResponse:
    """The run of an application's sample: the newest, or `?run=`; `?step=` is looked at closely.

    htmx asks again by `?part=live` for what changes.
    """
    application = found(request.user, number)
    run = run_of(application, request.GET.get("run", ""))
    if request.GET.get("part") == "live" and run:
        context = live(request, application, run)
        if not context["under_way"]:
            cadence.still_watches(run.sample)
        return render(request, "telemetry/docking/parts/live.html", context)
    return page(request, application, run)


def page(
    request: SignedIn, application: DockingApplication, run: DockingTest | None, **forms: StartForm
) -> HttpResponse:
    """The whole page; `forms` are refused ones, with their mistakes."""
    acts = request.user.tests_docking
    context: dict[str, object] = {
        "application": application,
        "run": run,
        "acts": acts,
        "may_note": acts or applications.acts_for(request.user, application),
        "note_length": NOTE_LENGTH,
        "notes": notes_of(application),
        "wants_retest": "retest" in request.GET,
        "earlier": application.tests.order_by("-started_at"),
        "start_form": StartForm(),
        "may_connect": application.state in applications.AT_BENCH,
        "may_start": acts and may_start(application),
        "signers": signers_named(request.user, application),
        **forms,
    }
    if run:
        context |= live(request, application, run)
        if not context["under_way"]:  # looking on must not count as traffic of a step
            cadence.watch(run.sample)
    return render(request, "telemetry/docking/test.html", context, status=422 if forms else 200)


def notes_of(application: DockingApplication) -> list[DockingAct]:
    """What the two sides wrote to each other: acts that left the state as it was."""
    acts = applications.acts_of(application)
    return [act for act, is_step in acts if not is_step and act.reason]


def may_start(application: DockingApplication) -> bool:
    """Whether a new run may begin: a sample is connected, and none is under way."""
    open_run = application.tests.filter(judged_at=None).exists()
    return bool(application.sample) and application.state in applications.AT_BENCH and not open_run


def run_of(application: DockingApplication, wanted: str = "") -> DockingTest | None:
    """The application's newest run, or the one of that number; None where there is none yet."""
    runs_ = application.tests.select_related(
        "sample__gateway__state", "sample__model__supplier", "sample__register_map", "started_by"
    )
    if wanted:
        if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 19):
            raise Http404
        runs_ = runs_.filter(pk=int(wanted))
    run = runs_.order_by("-started_at", "-pk").first()
    if wanted and run is None:
        raise Http404
    return run


def the_run(user: User, number: str, wanted: str = "") -> DockingTest:
    """The newest run of an application that the user may see, or the one of that number; else
    404."""
    application = found(user, number)
    run = run_of(application, wanted)
    if run is None:
        raise Http404
    run.application = application
    return run


def live(request: SignedIn, application: DockingApplication, run: DockingTest) -> dict[str, object]:
    """All that changes while the run goes on."""
    rows = rows_of(run)
    looked_at = _looked_at(rows, request.GET.get("step", ""))
    is_newest = run == run_of(application)
    under_way = [row for row in rows if row.is_under_way]
    short = [row for row in under_way if not row.is_long]
    state = UnitState.objects.filter(unit=run.sample).first()
    return {
        "application": application,
        "run": run,
        "acts": request.user.tests_docking,
        "is_open": is_newest and run.judged_at is None,
        "asked_run": "" if is_newest else run.pk,
        "may_ask": applications.acts_for(request.user, application),
        "rows": rows,
        "kinds": _kinds(rows),
        "figures": Figures.of(rows),
        "failed": [row for row in rows if row.is_failed],
        "row": looked_at,
        "chosen": looked_at.kept.key if request.GET.get("step") else "",
        "frames": evidence.newest(looked_at.kept),
        "readings": readings_of(rows, run.sample.register_map, run.sample.model.medium),
        "state": state,
        "sample_now": _sample_now(state),
        "pace": _pace(run, under_way, short),
        "under_way": under_way,
        "on_the_bench": short,
        "away": _away(run) if under_way else None,
        "owed": _owed(run),
        "may_judge": not runs.open_steps(run),
        "to_run": any(row.kept.state == "open" and not row.is_by_hand for row in rows),
    }


def _away(run: DockingTest) -> Gateway | None:
    """The sample's line where it is not there: steps wait for it, and somebody must see to it."""
    line = run.sample.gateway
    state = state_of(line)
    return None if state and state.connected else line


def _owed(run: DockingTest) -> list[str]:
    """What the sample is owed though no step is at it, or the line worker of a step that is has
    fallen: steps wait until it is put back."""
    left = Obligation.objects.open().filter(unit=run.sample).order_by("made_at")
    if WorkerState.objects.living().filter(name=run.sample.gateway.line_worker).exists():
        left = left.exclude(docking_step__state=DockingStepState.RUNNING)
    medium = run.sample.model.medium
    return [
        f"{points.label(one.signal, medium)} {points.show(one.signal, one.former)}" for one in left
    ]


def _looked_at(rows: list[Row], wanted: str) -> Row:
    """The step that was asked for; else the one that runs, that ended last, or the first."""
    for row in rows:
        if row.kept.key == wanted:
            return row
    for row in rows:
        if row.kept.state == "running":
            return row
    ended = [row for row in rows if row.kept.state in DONE and row.kept.finished_at]
    return max(ended, key=lambda row: row.kept.finished_at or clock.now(), default=rows[0])


def _kinds(rows: list[Row]) -> dict[str, int]:
    """How many steps of each kind."""
    kinds = [row.step.kind.value for row in rows]
    return {kind: kinds.count(kind) for kind in ("auto", "hand", "long")}


def _pace(run: DockingTest, under_way: list[Row], short: list[Row]) -> int:
    """How often the page asks anew, in seconds; 0: nothing changes any more."""
    if run.judged_at:
        return 0
    return BUSY_S if short else LONG_S if under_way else IDLE_S


def _sample_now(state: UnitState | None) -> list[str]:
    """What the sample does now, in two words: on or off, and how."""
    values = state.values if state else {}
    shown = [name for name in ("power_state", "mode") if name in values]
    return [points.show(name, values[name]) for name in shown]


@login_required
@never_cache
@require_safe
def docking_test_card(request: SignedIn, number: str) -> HttpResponse:
    """The test on the application's page: how far it is, and what failed."""
    application = found(request.user, number)
    run = run_of(application)
    rows = rows_of(run) if run else []
    context = {
        "application": application,
        "run": run,
        "acts": request.user.tests_docking,
        "figures": Figures.of(rows),
        "failed": [row for row in rows if row.is_failed],
        "under_way": any(row.is_under_way for row in rows),
    }
    return render(request, "telemetry/docking/parts/test_card.html", context)


@login_required
@require_safe
def docking_frames(request: SignedIn, number: str) -> HttpResponseBase:
    """The frames of the newest run (or `?run=`) as text; of one step by `?step=`."""
    run = the_run(request.user, number, request.GET.get("run", ""))
    key = request.GET.get("step", "")
    if key and not run.steps.filter(key=key).exists():
        raise Http404
    content = "text/plain; charset=utf-8"
    response = StreamingHttpResponse(evidence.text(run, key), content_type=content)
    name = f"{_('报文')}-{number}{'-' + key if key else ''}.txt"
    response["Content-Disposition"] = str(content_disposition_header(True, name))
    response["Cache-Control"] = "no-store"
    return response
