"""What the web server calls."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.wsgi import get_wsgi_application

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "heating_platform.settings")

_django = get_wsgi_application()


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Django, seeing the visitor's own address where the TLS proxy stands before us."""
    forwarded = environ.get("HTTP_X_FORWARDED_FOR", "")
    if settings.HTTPS and forwarded:
        environ["REMOTE_ADDR"] = forwarded.rpartition(",")[2].strip()  # the proxy's own entry
    return _django(environ, start_response)
