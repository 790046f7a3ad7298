"""Signed papers, looked at with tools that are not ours; keys that open, and those that do not."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typst
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from pytest_django.fixtures import Settings

from devices.docking import confirmations, signing, signing_key
from devices.docking.signing import CannotSign
from devices.models import Confirmation, ConfirmationState
from households import clock, vault
from households.archive import papers
from households.models import Notification
from tests.cast import Cast
from tests.devices.docking import scene

FONTS = pytest.mark.skipif(not papers.are_there(), reason="the fonts are missing: run `npm ci`")
POPPLER = pytest.mark.skipif(not shutil.which("pdfsig"), reason="poppler-utils is missing")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("key")


def content(confirmation: Confirmation) -> bytes:
    with vault.open(confirmation.paper) as file:
        return file.read()


def looked_at(pdf: bytes, folder: Path) -> str:
    """What poppler says of the signature."""
    file = folder / "paper.pdf"
    file.write_bytes(pdf)
    command = ["pdfsig", "-nocert", str(file)]
    return subprocess.run(command, capture_output=True, text=True).stdout


@FONTS
@POPPLER
@pytest.mark.django_db
def test_an_independent_tool_finds_the_signature_valid(cast: Cast, folder: Path) -> None:
    pdf = content(scene.signed(cast, folder))
    said = looked_at(pdf, folder)
    assert "Signature is Valid" in said
    assert "ETSI.CAdES.detached" in said
    assert "Total document signed" in said
    assert "测试平台" in said
    assert b"/DocMDP" in pdf and b"/P 1" in pdf


@FONTS
@POPPLER
@pytest.mark.django_db
def test_one_byte_changed_anywhere_shows(cast: Cast, folder: Path) -> None:
    pdf = content(scene.signed(cast, folder))
    for place in (20, len(pdf) // 3, len(pdf) // 2, len(pdf) - 40):
        changed = bytearray(pdf)
        changed[place] ^= 1
        assert "Signature is Valid" not in looked_at(bytes(changed), folder), place


def test_no_room_is_left_behind_the_signature_where_a_change_would_not_show(
    tmp_path: Path, settings: Settings
) -> None:
    path = tmp_path / "key.pem"
    path.write_text(signing_key.draw("测试平台"))
    settings.SIGNING_KEY = str(path)
    pdf = signing.signer().sign(a_sheet(tmp_path), reason="试")
    digits = re.search(rb"/Contents <([0-9A-F]+)>", pdf)
    assert digits
    held = bytes.fromhex(digits[1].decode())
    assert held[:2] == b"\x30\x82"
    assert int.from_bytes(held[2:4]) == len(held) - 4  # DER tells its own length


def a_sheet(folder: Path) -> bytes:
    """A PDF to sign."""
    sheet = folder / "sheet.typ"
    sheet.write_text("#rect()")
    pdf = typst.compile(sheet)
    assert isinstance(pdf, bytes)
    return pdf


@FONTS
@pytest.mark.django_db
def test_what_was_signed_is_not_signed_again(cast: Cast, folder: Path) -> None:
    one = scene.signed(cast, folder)
    with scene.a_key(folder):
        assert signing.sign_waiting() == 0
        assert not confirmations.sign(one.pk, lambda which: b"%PDF another")
    paper = one.paper
    one.refresh_from_db()
    assert one.paper == paper
    assert [act.state for act in one.acts.all()] == ["signing", "valid"]


@pytest.mark.django_db
def test_without_a_key_nothing_is_signed_and_all_of_it_waits(
    cast: Cast, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SIGNING_KEY = ""
    one = scene.issued(cast)
    assert signing.sign_waiting() == 0
    assert "SIGNING_KEY" in caplog.text
    one.refresh_from_db()
    assert (one.state, one.paper) == (ConfirmationState.SIGNING, "")
    assert confirmations.of_code(one.code) is None


@pytest.mark.django_db
def test_without_an_address_no_letter_leads_nowhere(
    cast: Cast, folder: Path, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    scene.issued(cast)
    with scene.a_key(folder):
        settings.PUBLIC_URL = ""
        assert signing.sign_waiting() == 0
    assert "PUBLIC_URL" in caplog.text


@pytest.mark.django_db
def test_one_that_fails_does_not_keep_the_others_waiting(
    cast: Cast, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = scene.issued(cast), scene.issued(cast)

    def letter(confirmation: Confirmation) -> bytes:
        if confirmation == first:
            raise papers.NoFont("none")
        return b"%PDF-1.7"

    monkeypatch.setattr(signing, "signed_letter", letter)
    assert signing.sign_waiting() == 1
    assert confirmations.waiting() == [first.pk]
    second.refresh_from_db()
    assert second.state == ConfirmationState.VALID
    assert Notification.objects.filter(to=cast.supplier_member, text__contains="有效").exists()


# -- keys ------------------------------------------------------------------------------------


def test_a_drawn_key_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text(signing_key.draw("某平台服务单位"))
    key = signing_key.read(path)
    name = key.certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value
    assert name == "某平台服务单位"


@POPPLER
@pytest.mark.parametrize("password", ["", "geheim"])
def test_a_key_comes_as_pkcs12_as_well(tmp_path: Path, settings: Settings, password: str) -> None:
    path = tmp_path / "key.pem"
    path.write_text(signing_key.draw("测试平台"))
    key = signing_key.read(path)
    sealed = (
        serialization.BestAvailableEncryption(password.encode())
        if password
        else serialization.NoEncryption()
    )
    store = tmp_path / "key.p12"
    store.write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"paper",
            key.private,  # type: ignore[arg-type]
            key.certificate,
            None,
            sealed,
        )
    )
    settings.SIGNING_KEY, settings.SIGNING_PASSWORD = str(store), password
    pdf = signing.signer().sign(a_sheet(tmp_path), reason="试")
    assert "Signature is Valid" in looked_at(pdf, tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "key"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "key"),
        (b"\x30\x82\x01\x00" + bytes(40), "key"),
    ],
)
def test_what_is_no_key_is_refused_by_its_name(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / f"{said}.pem"
    path.write_bytes(content)
    with pytest.raises(signing_key.KeyUnreadable, match=said):
        signing_key.read(path)


def test_a_missing_file_and_a_foreign_certificate_are_refused(tmp_path: Path) -> None:
    with pytest.raises(signing_key.KeyUnreadable, match=r"none\.pem"):
        signing_key.read(tmp_path / "none.pem")
    one, other = signing_key.draw("甲"), signing_key.draw("乙")
    mixed = tmp_path / "mixed.pem"
    mixed.write_text(one[: one.index("-----BEGIN CERT")] + other[other.index("-----BEGIN CERT") :])
    with pytest.raises(signing_key.KeyUnreadable, match="certificate"):
        signing_key.read(mixed)


def test_an_unreadable_key_is_said_so_and_signs_nothing(tmp_path: Path, settings: Settings) -> None:
    settings.SIGNING_KEY = str(tmp_path / "none.p12")
    with pytest.raises(CannotSign, match=r"none\.p12"):
        signing.signer()


def test_a_certificate_that_has_ended_signs_nothing(tmp_path: Path) -> None:
    ended = pytest.raises(CannotSign, match="ended")
    with scene.a_key(tmp_path), clock.at(datetime(2099, 1, 1, tzinfo=UTC)), ended:
        signing.signer().sign(b"%PDF", reason="试")


def test_a_letter_that_cannot_be_set_leaves_no_other_waiting(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = scene.issued(cast), scene.issued(cast)

    def make(one: Confirmation) -> bytes:
        if one.pk == first.pk:
            raise RuntimeError("cannot be set")
        return b"%PDF-1.7"

    monkeypatch.setattr(signing, "signed_letter", make)
    assert signing.sign_waiting() == 1
    second.refresh_from_db()
    assert second.state == "valid" and confirmations.waiting() == [first.pk]
