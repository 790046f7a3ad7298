import pytest
from django.test import Client

from households.requests import whole_number
from tests.cast import Cast


def asks(client: Client, path: str, form: dict[str, str] | None = None) -> int:
    return (client.get(path) if form is None else client.post(path, form)).status_code


def test_a_nul_in_address_or_form_is_no_error_of_the_platform(cast: Cast, client: Client) -> None:
    assert asks(client, "/card/%00/") == 404
    client.force_login(cast.town_officer)
    assert asks(client, "/card/%00/") == 404  # the first address of a session is written down
    assert asks(client, "/slips/new/?household=%00") == 404
    assert asks(client, "/install/entries/", {"owner": "1", "number": "26-12\0"}) == 400
    assert asks(client, "/households/") == 200


@pytest.mark.parametrize("text", ["", "-1", "1.0", "²", "٣", "2101", "9" * 5000, "99999"])
def test_only_digits_of_a_number_within_bounds_are_one(text: str) -> None:
    assert whole_number(text, 2100) is None
    assert whole_number("2100", 2100) == 2100
    assert whole_number("9" * 19) is None  # no row has such a key


def test_a_number_too_long_is_no_error_of_the_page(cast: Cast, client: Client) -> None:
    client.force_login(cast.town_officer)
    long = "9" * 5000
    for path in ("/households/new/?year=", "/lists/?year="):
        assert asks(client, f"{path}{long}") == 200, path
    story = f"/households/{cast.water_household.number}/story/?before="
    assert asks(client, f"{story}{long}") == 200
