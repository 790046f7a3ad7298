"""The page 消息: what the platform told the person, newest first."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from households import lists, notifications
from households.accounts.sessions import UNREAD
from households.models import Notification
from households.requests import SignedIn


@login_required
@require_safe
def messages(request: SignedIn) -> HttpResponse:
    """What was unread is read from now on; it stands out this once."""
    fresh = set()
    if request.method == "GET":  # who asks for the head alone sees nothing
        fresh = {message.pk for message in notifications.read(request.user)}
        setattr(request, UNREAD, 0)
    rows = Notification.objects.visible_to(request.user)
    context = {"page": lists.page_of(rows, request), "fresh": fresh}
    return render(request, "households/messages.html", context)
