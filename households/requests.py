"""Requests as signed-in pages get them."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from households.models import User


class SignedIn(HttpRequest):
    """A request behind `login_required`: its user is an account."""

    user: User
    htmx: HtmxDetails
