"""The page that describes the API, under the same content policy as every other page."""

from tests.browser.conftest import Visitor
from tests.cast import Cast


def test_the_api_is_described_and_tried_out_from_this_host_alone(
    visitor: Visitor, cast: Cast
) -> None:
    visitor.be(cast.reader)
    visitor.go("/api/")
    visitor.page.click("text=/api/plan-lines/ >> nth=0")
    visitor.page.click("button:has-text('Try it out')")
    with visitor.page.expect_response("**/api/plan-lines/**") as answer:
        visitor.page.click("button.execute")
    assert answer.value.status == 200
    assert visitor.troubles == []
    assert visitor.foreign == []
