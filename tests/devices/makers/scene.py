"""Files and forms as makers send them."""

from __future__ import annotations

import io
from datetime import date, timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from households import clock


def photo(colour: str = "#cde") -> SimpleUploadedFile:
    kept = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(kept, "JPEG")
    return SimpleUploadedFile("扫描.jpg", kept.getvalue(), content_type="image/jpeg")


def in_days(days: int) -> date:
    return clock.today() + timedelta(days=days)


def insurance(**changes: Any) -> dict[str, Any]:
    """What is sent with the form of a paper."""
    fields = {
        "kind": "insurance",
        "number": "BX-2026-1",
        "issuer": "测试保险公司",
        "valid_from": in_days(-10),
        "valid_until": in_days(300),
        "title": "",
        "file": photo(),
    }
    return fields | changes


BOILER: dict[str, Any] = {
    "name": "燃气壁挂炉",
    "code": "CN-G20",
    "kind": "gas_boiler",
    "medium": "water",
    "energy_grade": "2",
}
COMPANY: dict[str, Any] = {
    "licence_number": "91350100m000100y43 ",  # the standard's example
    "contact": "周经理",
    "phone": "03562000001",
    "office": "城区测试路 8 号",
    "service_head": "王师傅",
    "service_phone": "0356-2000002",
    "service_people": "6",
}
