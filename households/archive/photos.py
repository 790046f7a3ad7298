"""Photos as they are kept: drawn anew, without what hides in the file, with time and place on them.

Only pixels, the time of taking and the position are read of a file that somebody sends; all else
(the phone's number, thumbnails of what was cut off, text for programs) does not get in.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from PIL import ExifTags, Image, ImageDraw, ImageFont, ImageOps

from households import clock

FORMATS = ("JPEG", "PNG", "WEBP")
LARGEST_PIXELS = 60_000_000  # of a camera's JPEG, which is decoded at a fraction of its size
# Others are decoded whole, at four bytes a pixel and several times over: a screenshot, not a bomb.
LARGEST_WHOLE = {"PNG": 20_000_000, "WEBP": 20_000_000}
LONGEST_EDGE = 2400  # pixels: a type plate stays readable
THUMBNAIL_EDGE = 320
QUALITY = 85
FONT = settings.FONTS / "400Regular" / "NotoSerifSC_400Regular.ttf"


class PhotoRefused(Exception):
    """The photo is not taken; `sentence` says why and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo ready to be drawn; `position` is (latitude, longitude) in degrees of WGS-84."""

    image: Image.Image
    taken_at: datetime | None
    position: tuple[float, float] | None

    def jpeg(self, words: Sequence[str] = ()) -> bytes:
        """The photo with these lines written into its lower edge. Raises PhotoRefused where the
        font's package is not installed."""
        image = self.image.copy()
        if words:
            _write(image, words)
        return _encoded(image)

    def thumbnail(self) -> bytes:
        image = self.image.copy()
        image.thumbnail((THUMBNAIL_EDGE, THUMBNAIL_EDGE))
        return _encoded(image)


def read(data: bytes) -> Photo:
    """The photo in `data`, upright and not larger than need be. Raises PhotoRefused."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as source:
            limit = LARGEST_WHOLE.get(source.format or "", LARGEST_PIXELS)
            if source.width * source.height > limit:
                raise PhotoRefused(_too_large(limit))
            taken_at, position = _told_by(source.getexif())
            image = _flat(ImageOps.exif_transpose(_small(source)))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PhotoRefused(_too_large(LARGEST_PIXELS)) from None
    except PhotoRefused:
        raise
    except Exception:  # a decoder may fail in any way over what somebody made up
        raise PhotoRefused(_("照片打不开，可能没有传完整：请重新拍照或重新选择")) from None
    return Photo(image, taken_at, position)


def _too_large(limit: int) -> str:
    return _("照片尺寸超过 %(limit)d 百万像素：请用普通模式拍照") % {"limit": limit // 1_000_000}


def _small(source: Image.Image) -> Image.Image:
    """Not larger than need be, before anything else makes copies of it."""
    source.draft("RGB", (LONGEST_EDGE, LONGEST_EDGE))
    image = source.convert("RGBA") if source.mode in ("P", "PA") else source
    image.thumbnail((LONGEST_EDGE, LONGEST_EDGE))
    return image


def _flat(image: Image.Image) -> Image.Image:
    """Opaque RGB: what was see-through is white."""
    if image.mode in ("RGBA", "LA", "PA", "P"):
        ground = Image.new("RGBA", image.size, "white")
        ground.alpha_composite(image.convert("RGBA"))
        return ground.convert("RGB")
    return image.convert("RGB")


def _encoded(image: Image.Image) -> bytes:
    target = io.BytesIO()
    image.save(target, "JPEG", quality=QUALITY, optimize=True)
    return target.getvalue()


# -- what the camera tells -----------------------------------------------------------------


def _told_by(exif: Image.Exif) -> tuple[datetime | None, tuple[float, float] | None]:
    """Time and position of taking; a camera that tells nonsense is not listened to."""
    try:
        taken_at = _time(exif.get_ifd(ExifTags.IFD.Exif))
    except (ValueError, TypeError, KeyError, OverflowError):
        taken_at = None
    try:
        position = _position(exif.get_ifd(ExifTags.IFD.GPSInfo))
    except (ValueError, TypeError, KeyError, ZeroDivisionError):
        position = None
    return taken_at, position


def _time(exif: dict[int, Any]) -> datetime | None:
    told = exif.get(ExifTags.Base.DateTimeOriginal)
    if not told:
        return None
    offset = str(exif.get(ExifTags.Base.OffsetTimeOriginal) or "").strip("\0 ")
    text = str(told).strip("\0 ")
    if offset:
        taken = datetime.strptime(f"{text} {offset}", "%Y:%m:%d %H:%M:%S %z")
    else:
        taken = datetime.strptime(text, "%Y:%m:%d %H:%M:%S").replace(tzinfo=clock.SHANGHAI)
    return taken if datetime(2000, 1, 1, tzinfo=clock.SHANGHAI) < taken <= clock.now() else None


def _position(gps: dict[int, Any]) -> tuple[float, float] | None:
    if ExifTags.GPS.GPSLatitude not in gps:
        return None
    latitude = _angle(gps[ExifTags.GPS.GPSLatitude], gps[ExifTags.GPS.GPSLatitudeRef])
    longitude = _angle(gps[ExifTags.GPS.GPSLongitude], gps[ExifTags.GPS.GPSLongitudeRef])
    whole = abs(latitude) <= 90 and abs(longitude) <= 180 and (latitude or longitude)
    return (latitude, longitude) if whole else None


def _angle(parts: Sequence[Any], side: str) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    value = degrees + minutes / 60 + seconds / 3600
    return -value if side in ("S", "W") else value


# -- what is written on it -----------------------------------------------------------------


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    try:
        return ImageFont.truetype(str(FONT), size)
    except OSError:
        raise PhotoRefused(_("平台没有装字体，照片写不上水印：请联系系统管理员")) from None


def _write(image: Image.Image, words: Sequence[str]) -> None:
    """Lines at the lower left, white on a dark band, as large as the photo needs."""
    pen, text = ImageDraw.Draw(image, "RGBA"), "\n".join(words)
    size = max(14, min(image.size) // 30)
    while size > 9 and pen.multiline_textbbox((0, 0), text, _font(size))[2] > image.width * 0.96:
        size -= 1
    height = pen.multiline_textbbox((0, 0), text, _font(size))[3] + size
    pen.rectangle((0, image.height - height, image.width, image.height), fill=(10, 20, 30, 150))
    at = (size // 2, image.height - height + size // 3)
    pen.multiline_text(at, text, font=_font(size), fill=(255, 255, 255, 255))
