"""Entering a step later (补录): its actual day, who did it then, and why only now."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_safe

from households import clock, path, personal_numbers
from households.filters import FIELD
from households.language import as_kept
from households.models import Household, Role, StepKind, User
from households.requests import SignedIn, whole_number

# A clerk knows what was done in the village; what is granted is entered by those who grant it.
EARLIEST = 2017  # year of the first winter plan for clean heating in northern China
BY_CLERK = (StepKind.SURVEYED, StepKind.SIGNED, StepKind.INSTALLED)


WHY = [
    ("before", _lazy("改造在先，当时没有平台")),
    ("missed", _lazy("当时漏录")),
    ("papers", _lazy("材料后来才齐")),
    ("other", _lazy("其他")),
]


class LaterForm(forms.Form):
    kind = forms.ChoiceField(label=_lazy("步骤"), widget=forms.RadioSelect)
    on = forms.DateField(
        label=_lazy("实际日期"), widget=forms.DateInput({**FIELD, "type": "date"}, "%Y-%m-%d")
    )
    done_by = forms.CharField(
        label=_lazy("当时由谁办"),
        max_length=60,
        validators=[personal_numbers.none_in],
        help_text=_lazy("单位或经办人，例如：村委会、原施工单位"),
        widget=forms.TextInput(FIELD),
    )
    why = forms.ChoiceField(label=_lazy("补录原因"), choices=WHY, widget=forms.RadioSelect)
    note = forms.CharField(
        label=_lazy("说明"),
        max_length=200,
        required=False,
        help_text=_lazy("选了“其他”的，在这里写明原因"),
        validators=[personal_numbers.none_in],
        widget=forms.TextInput(FIELD),
    )

    def __init__(self, household: Household, user: User, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.household = household
        kind = self.fields["kind"]
        assert isinstance(kind, forms.ChoiceField)
        kind.choices = [(one, one.label) for one in enterable(household, user)]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("why") == "other" and not cleaned.get("note"):
            self.add_error("note", _("选了“其他”，请写明原因"))
        return cleaned

    @property
    def why_words(self) -> str:
        """The picked reason; of 其他 what was written."""
        picked = self.cleaned_data["why"]
        return str(self.cleaned_data["note"]) if picked == "other" else as_kept(dict(WHY)[picked])

    @property
    def note_words(self) -> str:
        """What was written besides the reason."""
        return "" if self.cleaned_data["why"] == "other" else str(self.cleaned_data["note"])


def enterable(household: Household, user: User) -> list[StepKind]:
    """Steps that the user may enter later for this household of his area; in lawful order.

    This year's households come into the plan by their village's list or a change slip, never so.
    """
    if not user.may_register or household.withdrawn_on:
        return []
    kinds = list(BY_CLERK) if user.role == Role.CLERK else list(StepKind)
    if household.year >= clock.today().year:
        kinds = [kind for kind in kinds if kind != StepKind.LISTED]
    return [kind for kind in kinds if getattr(household, f"{kind}_on") is None]


def year_of(request: HttpRequest) -> int:
    """The year for which a new household is entered: this one, or an earlier that is asked for.

    Households of earlier years count in no figure of this year's task.
    """
    this_year = clock.today().year
    asked = whole_number(request.POST.get("year") or request.GET.get("year", ""), this_year)
    return asked if asked and asked >= EARLIEST else this_year


def is_of_an_earlier_year(household: Household) -> bool:
    """Whether its steps are entered later, each with its actual day."""
    return household.year < clock.today().year


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def later(request: SignedIn, number: str) -> HttpResponse:
    """The form, and what it enters through the path's door: the gates ask what they always ask."""
    rows = Household.objects.visible_to(request.user).select_related("area__owner")
    home = get_object_or_404(rows, number=number)
    if not request.user.may_register:
        raise PermissionDenied(_("补录由村（社区）、镇（街道）和区领导小组办公室办理。"))
    form = LaterForm(home, request.user, request.POST or None)
    if form.is_valid() and _taken(request, home, form):
        on = "later_entry" if is_of_an_earlier_year(home) else "household"
        return redirect(on, number=number)
    context = {"household": home, "form": form}
    status = 422 if form.is_bound else 200
    return render(request, "households/later_entry.html", context, status=status)


def _taken(request: SignedIn, home: Household, form: LaterForm) -> bool:
    """Whether the step was recorded; what refuses it is said in the form."""
    typed = form.cleaned_data
    told = path.Later(typed["done_by"], form.why_words)
    kind = StepKind(typed["kind"])
    try:
        step = path.take(
            home, kind, on=typed["on"], by=request.user, note=form.note_words, later=told
        )
    except path.StepRefused as refused:
        for lack in refused.lacks:
            form.add_error(None, lack)
        return False
    words = {"step": kind.label, "n": len(step.lacks), "what": _("；").join(step.lacks)}
    if step.lacks:
        said = _("已补录“%(step)s”，还缺 %(n)d 项，补齐前不计入：%(what)s。")
        messages.warning(request, said % words)
    else:
        messages.success(request, _("已补录“%(step)s”。") % words)
    return True


@login_required
@require_safe
def earlier_years(request: SignedIn) -> HttpResponse:
    """The years for which a household may be entered later."""
    if not request.user.may_register:
        raise PermissionDenied(_("补录由村（社区）、镇（街道）和区领导小组办公室办理。"))
    years = range(clock.today().year - 1, EARLIEST - 1, -1)
    return render(request, "households/earlier_years.html", {"years": years})
