"""The sign-in page."""

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django_htmx.middleware import HtmxDetails

_page = LoginView.as_view(template_name="households/sign_in.html", redirect_authenticated_user=True)


@login_not_required
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Sign in by account and password.

    A part of a page that htmx asks for after the session has ended is led here too: then the whole
    page goes to sign in, and comes back afterwards.
    """
    if "HX-Request" not in request.headers:
        return _page(request)
    whole_page = HtmxDetails(request).current_url_abs_path or "/"
    address = f"{reverse('sign_in')}?{urlencode({'next': whole_page})}"
    return HttpResponse(status=204, headers={"HX-Redirect": address})
