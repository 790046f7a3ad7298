"""一户一档 as one PDF file."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from households.archive import papers
from households.models import Household
from households.requests import SignedIn
from telemetry import dossier


@login_required
@require_safe
def household_dossier(request: SignedIn, number: str) -> HttpResponse:
    """The card and every paper of the household's file. 503 where the letters of papers are not
    installed."""
    rows = Household.objects.visible_to(request.user).select_related("area__owner")
    home = get_object_or_404(rows, number=number)
    address = request.build_absolute_uri("/")
    try:
        content = dossier.pdf(home, reader=request.user, address=address)
    except papers.NoFont:
        return render(request, "telemetry/no_font.html", {"household": home}, status=503)
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{home.number}.pdf"'
    response["Cache-Control"] = "no-store"
    return response
