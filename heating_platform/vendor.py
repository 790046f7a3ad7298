"""The few files of the npm packages that pages load, found where `npm ci` puts them."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage, Storage

FILES = {
    "vendor/tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "vendor/tabler.min.css.map": "@tabler/core/dist/css/tabler.min.css.map",
    "vendor/tabler.min.js": "@tabler/core/dist/js/tabler.min.js",
    "vendor/tabler.min.js.map": "@tabler/core/dist/js/tabler.min.js.map",
    "vendor/htmx.min.js": "htmx.org/dist/htmx.min.js",
    "vendor/uplot.min.js": "uplot/dist/uPlot.iife.min.js",
    "vendor/uplot.min.css": "uplot/dist/uPlot.min.css",
    "vendor/echarts.min.js": "echarts/dist/echarts.min.js",
}


class VendorStorage(FileSystemStorage):
    """node_modules, seen under the names that the pages use."""

    prefix = ""

    def path(self, name: str) -> str:
        return str(settings.NODE_MODULES / FILES[name])


class VendorFinder(BaseFinder):
    """Finds FILES and nothing else: the packages hold 200 MB that no page needs."""

    storage = VendorStorage()

    def check(self, **kwargs: Any) -> list[Any]:
        return []

    def find(  # type: ignore[override]  # Django answers [] where the stubs say None
        self, path: str, find_all: bool = False, **kwargs: Any
    ) -> str | list[str]:
        source = Path(settings.NODE_MODULES, FILES[path]) if path in FILES else None
        found = [str(source)] if source is not None and source.exists() else []
        if find_all:
            return found
        return found[0] if found else []

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        for name in FILES:
            yield name, self.storage
