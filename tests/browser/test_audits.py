"""Every page as axe-core and Lighthouse see it: nothing is found that keeps anybody out.

Both come from ``tests/web/audits``, which ``scripts/test`` installs where npm is. How fast a page
is says ``scripts/bench/webmap/lighthouse.py``: a busy machine must not fail a test.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts.bench.webmap import lighthouse
from tests.fixtures.routes import path_of, rules
from tests.fixtures.web import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
AXE = Path(__file__).parent / "audits" / "node_modules" / "axe-core" / "axe.min.js"
CARD = "/markets/M-CHI?prospect=abbott-laboratories"
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
ROLES = ("ops", "rep_a", "hr", "admin", "nobody")
# What the two schemes differ in; the rest is the same in both.
COLOURS = ["color-contrast", "link-in-text-block"]
DRAWN = """() => document.querySelectorAll("[data-late]:not(:has(.market-map))").length === 0
  && [...document.querySelectorAll(".market-map")].every((map) => map.dataset.ready === "true")"""
RUN = """async (only) => {
  const found = await axe.run(document, only ? {runOnly: {type: "rule", values: only}} : {});
  return found.violations.map(({id, nodes}) => `${id}: ${nodes[0].target} ${nodes[0].html}`);
}"""


@pytest.fixture(scope="module")
def address(doors) -> Iterator[str]:
    yield from serve(doors)


def pages_of(doors, client) -> list[str]:
    """Every address that answers whoever the client is with a page, and a card."""
    found = {}
    for rule in rules(doors):
        if "GET" not in rule.methods or rule.endpoint == "static":
            continue
        path = path_of(doors, rule)
        answer = client.get(path)
        if answer.status_code == 200 and answer.mimetype == "text/html":
            found[rule.endpoint] = path
        answer.close()
    if "rep.market" in found:
        found["card"] = CARD if client.get(CARD).status_code == 200 else found["rep.market"]
    return sorted(set(found.values()))


def context_of(chromium, client, address: str):
    """A browser that is signed in as the client is."""
    context = chromium.new_context(base_url=address, reduced_motion="reduce")
    cookie = client.get_cookie("territory-session")
    if cookie is not None:
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
    return context


@pytest.mark.skipif(not AXE.is_file(), reason="no axe-core (scripts/test installs it with npm)")
@pytest.mark.parametrize("role", ROLES)
def test_axe_finds_nothing_on_any_page_in_light_and_dark_wide_and_narrow(
    role, doors, client_as, chromium, address
) -> None:
    client = client_as(role)
    context = context_of(chromium, client, address)
    page, axe, wrong = context.new_page(), AXE.read_text("utf-8"), {}
    paths = pages_of(doors, client)
    assert paths
    for path in paths:
        page.set_viewport_size(DESK)
        page.goto(path)
        page.evaluate("() => document.querySelector('[data-late]')?.scrollIntoView()")
        page.wait_for_function(DRAWN)
        page.evaluate(axe)
        for size in (DESK, PHONE):
            page.set_viewport_size(size)
            for scheme, only in (("light", None), ("dark", COLOURS)):
                page.emulate_media(color_scheme=scheme)
                if found := page.evaluate(RUN, only):
                    wrong[f"{path} {scheme} {size['width']}"] = found
    context.close()
    assert wrong == {}


@pytest.mark.skipif(lighthouse.missing() is not None, reason=str(lighthouse.missing()))
@pytest.mark.parametrize(
    ("role", "path"), [("ops", "/"), ("ops", "/markets/M-CHI"), ("ops", CARD), ("hr", "/hr")]
)
def test_lighthouse_gives_full_points_for_access_and_good_practice(
    role, path, client_as, address
) -> None:
    cookie = client_as(role).get_cookie("territory-session").value
    categories = ("accessibility", "best-practices")
    points, wrong = lighthouse.ask(f"{address}{path}", cookie, categories=categories)
    assert (points, wrong) == (dict.fromkeys(categories, 100), [])
