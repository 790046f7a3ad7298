"""The story of one household, a page at a time, as part of its page."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from households.audit.story import story
from households.models import Household
from households.requests import SignedIn, whole_number


@login_required
@require_safe
def household_story(request: SignedIn, number: str) -> HttpResponse:
    """What became of the household; `?before=ID` is the next page. For offices alone."""
    household = get_object_or_404(Household.objects.visible_to(request.user), number=number)
    if not request.user.follows_plan:
        raise PermissionDenied(_("变更记录只给各级办公室查看。"))
    asked = request.GET.get("before", "")
    events, more = story(household, whole_number(asked))
    context = {"household": household, "events": events, "more": more, "continued": bool(asked)}
    return render(request, "households/parts/story.html", context)
