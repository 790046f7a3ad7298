import io
from datetime import datetime
from typing import Any

import pytest
from PIL import ExifTags, Image

from households import clock
from households.archive import photos
from households.archive.photos import FONT, PhotoRefused

needs_the_font = pytest.mark.skipif(not FONT.exists(), reason="node_modules is missing: npm ci")
TAKEN = "2026:06:12 09:30:00"


def picture(
    size: tuple[int, int] = (640, 480), format: str = "JPEG", mode: str = "RGB", **options: Any
) -> bytes:
    target = io.BytesIO()
    Image.new(mode, size, 120 if mode == "L" else None).save(target, format, **options)
    return target.getvalue()


def _has_white(part: Image.Image) -> bool:
    return max(part.convert("L").tobytes()) > 200


def exif() -> Image.Exif:
    told = Image.Exif()
    told[ExifTags.Base.Make] = "Make of the phone"
    told.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = TAKEN
    place: dict[int, Any] = {
        ExifTags.GPS.GPSLatitudeRef: "N",
        ExifTags.GPS.GPSLatitude: (35.0, 29.0, 30.0),
        ExifTags.GPS.GPSLongitudeRef: "E",
        ExifTags.GPS.GPSLongitude: (112.0, 51.0, 0.0),
    }
    told.get_ifd(ExifTags.IFD.GPSInfo).update(place)
    return told


@pytest.fixture(autouse=True)
def november() -> Any:
    with clock.at(datetime(2026, 11, 23, 8, tzinfo=clock.SHANGHAI)):
        yield


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_photos_of_three_kinds_become_plain_jpegs(format: str) -> None:
    data = photos.read(picture(format=format)).jpeg()
    with Image.open(io.BytesIO(data)) as kept:
        assert (kept.format, kept.size, kept.mode) == ("JPEG", (640, 480), "RGB")


def test_time_and_place_are_read_and_nothing_else_stays() -> None:
    photo = photos.read(picture(exif=exif()))
    assert photo.taken_at == datetime(2026, 6, 12, 9, 30, tzinfo=clock.SHANGHAI)
    assert photo.position == pytest.approx((35.491667, 112.85))
    kept = photo.jpeg()
    assert b"Make of the phone" not in kept and b"Exif" not in kept
    with Image.open(io.BytesIO(kept)) as image:
        assert not image.getexif()


def test_a_time_to_come_is_not_believed() -> None:
    with clock.at(datetime(2026, 1, 1, tzinfo=clock.SHANGHAI)):
        assert photos.read(picture(exif=exif())).taken_at is None


def test_a_photo_lying_on_its_side_is_set_upright() -> None:
    told = Image.Exif()
    told[ExifTags.Base.Orientation] = 6
    assert photos.read(picture((640, 480), exif=told)).image.size == (480, 640)


def test_large_photos_are_made_smaller_and_thumbnails_small() -> None:
    photo = photos.read(picture((4000, 3000)))
    assert photo.image.size == (2400, 1800)
    with Image.open(io.BytesIO(photo.thumbnail())) as small:
        assert max(small.size) == photos.THUMBNAIL_EDGE


def test_what_is_see_through_becomes_white() -> None:
    photo = photos.read(picture(format="PNG", mode="RGBA"))
    assert photo.image.getpixel((5, 5)) == (255, 255, 255)


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(PhotoRefused, match="百万像素"):
        photos.read(picture((9000, 8000), format="PNG", mode="L"))


def test_what_is_decoded_whole_may_not_be_as_large_as_a_camera_s_photo(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """60 million see-through pixels in two kilobytes took 1.7 GB."""
    monkeypatch.setattr(photos, "LARGEST_WHOLE", {"PNG": 1_000_000})
    with pytest.raises(PhotoRefused, match="1 百万像素"):
        photos.read(picture((1250, 1000), format="PNG"))
    assert photos.read(picture((1250, 1000))).image.size == (1250, 1000)


@pytest.mark.parametrize("cut", [20, 400, 1200])
def test_half_a_photo_is_refused(cut: int) -> None:
    data = picture((1200, 900))
    with pytest.raises(PhotoRefused, match="没有传完整"):
        photos.read(data[:cut])


def test_a_broken_place_is_no_place() -> None:
    broken = exif()
    broken.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (95.0, 0.0, 0.0)
    assert photos.read(picture(exif=broken)).position is None


@needs_the_font
def test_words_are_written_into_the_lower_edge_alone() -> None:
    photo = photos.read(picture((800, 600), format="PNG", mode="L"))
    plain, written = (
        Image.open(io.BytesIO(photo.jpeg(words)))
        for words in ((), ["2026-06-12 09:30　钟家庄街道 洞头村　26-12-0001"])
    )
    top, bottom = (0, 0, 800, 500), (0, 560, 800, 600)
    assert plain.crop(top).tobytes() == written.crop(top).tobytes()
    tones = written.crop(bottom).convert("L").tobytes()
    assert min(tones) < 90 and _has_white(written.crop(bottom))


@needs_the_font
def test_the_font_has_the_rare_characters_of_names() -> None:
    font = photos._font(40)
    missing = bytes(font.getmask("\U0010fffd"))
    assert all(bytes(font.getmask(letter)) != missing for letter in "䶮㛃℃示甲镇村")


def test_without_the_font_a_photo_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos, "FONT", photos.FONT.with_name("missing.ttf"))
    photos._font.cache_clear()
    with pytest.raises(PhotoRefused, match="没有装字体"):
        photos.read(picture()).jpeg(["26-12-0001"])


@needs_the_font
def test_long_words_fit_a_narrow_photo() -> None:
    photo = photos.read(picture((300, 600)))
    image = photo.image.copy()
    photos._write(image, ["2026-06-12 09:30（上传时间）　钟家庄街道 时家岭社区　26-10-0001"])
    assert not _has_white(image.crop((296, 500, 300, 600)))
    assert _has_white(image.crop((0, 500, 200, 600)))
