"""What tests of the pages of register maps share."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

from devices.maps import drafts, sheet
from devices.maps.sheet import COLUMNS, Sheet
from devices.models import DeviceModel, MapDraft
from households.models import User
from tests.cast import Cast


def as_(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def draft(cast: Cast, model: DeviceModel | None = None) -> MapDraft:
    """A draft of 晨暖's, made from its version, or one of another model's."""
    model = model or cast.water.model
    version = model.register_maps.order_by("-version")[0]
    written = sheet.of_map(version.parsed())
    return drafts.put(model, written, cast.supplier_member, version)


def changed(of: MapDraft, signal: str = "", **cells: str) -> Sheet:
    """The draft's sheet with cells of one signal's row changed."""
    written = drafts.of_draft(of)
    for point in written.points:
        if point[0] == signal:
            for column, text in cells.items():
                point[COLUMNS.index(column)] = text
    return written


def send(client: Client, path: str, written: Sheet, **more: Any) -> Any:
    """The editor's question."""
    body = json.dumps({**written.as_json(), **more})
    return client.post(path, body, content_type="application/json")
