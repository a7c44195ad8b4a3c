"""A report of Salesforce dropped: red where states are left out, then what is read otherwise."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.browser.test_imports import DROP, PATIENCE_MS, app, worker
from tests.browser.test_pages import DESK, PHONE, Watch
from tests.fixtures.web import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

__all__ = ["app", "worker"]
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
REPORT = (
    '"Account Owner","Account Name","Account ID","Type","Billing City","Billing State/Province",'
    '"Billing Zip/Postal Code","Billing Country","Employees"\n'
    '"Rhea Holt","Juniper Valve Works","0015e00000AbCde","Lead","Springfield","IL","62701",'
    '"United States","250"\n'
    '"Sam Ruiz","Osprey Tooling","0015e00000AbCdE","Partner","Portland","ME","04101",'
    '"United States","75"\n\n\n"Accounts by Owner"\n"Confidential Information"\n'
)


@pytest.fixture(scope="module")
def address(app) -> Iterator[str]:
    yield from serve(app)


def look(page, name: str) -> None:
    """Keep a picture where ``TERRITORY_PICTURES`` names a folder."""
    folder = os.environ.get("TERRITORY_PICTURES")
    if folder:
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def is_red(page) -> bool:
    return page.evaluate(
        """() => {
  const [r, g, b] = getComputedStyle(document.querySelector(".alert")).color.match(/[0-9.]+/g);
  return r > 1.3 * g && r > 1.3 * b;
}"""
    )


@pytest.mark.parametrize("width", ["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_is_matched_warned_of_tried_and_the_next_one_shows_what_is_new(
    chromium: Browser, address, app, worker, width, scheme
) -> None:
    watch = Watch(address)
    viewport = DESK if width == "desk" else PHONE
    context = watch.over(
        chromium.new_context(
            viewport=viewport, base_url=address, reduced_motion="reduce", color_scheme=scheme
        )
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    name = f"{scheme}-{width}"
    report = REPORT.replace("0015e", {"desk": "0016e", "phone": "0017e"}[width])
    report = report if scheme == "light" else report.replace("e0", "f0")
    # Other headers in each round: what rounds before had is folded away then.
    report = report.replace('"Employees"', f'"Employees","{name}-1","{name}-2"')
    report = report.replace('"250"', '"250","",""').replace('"75"', '"75","",""')
    report = report.replace("Billing", {"light": "Billing", "dark": "Shipping"}[scheme])
    page.goto("/ops/import")
    page.evaluate(DROP, [report, f"{name}.csv"])
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**/ops/import/files/*")
    # Every address column is matched; without the state and the ZIP code it is said in red.
    assert page.locator(".alert").count() == 0
    if page.locator("details.more").count():
        page.locator("details.more > summary").click()
    for field in ("State/Province", "Zip/Postal Code"):
        header = next(h for h in report.split('"') if h.endswith(field))
        page.get_by_label(f"Field for {header}").select_option("")
    page.get_by_role("button", name="Start dry run").click()
    page.locator(".alert").get_by_text("State and ZIP or postal code are not matched").wait_for()
    assert is_red(page)
    look(page, f"{name}-warning")
    for field, column in (("State/Province", "state"), ("Zip/Postal Code", "postal_code")):
        header = next(h for h in report.split('"') if h.endswith(field))
        page.get_by_label(f"Field for {header}").select_option(column)
    page.get_by_role("button", name="Start dry run").click()
    page.wait_for_url("**/trial")
    panel = page.get_by_role("region", name="How the file is read")
    assert panel.get_by_role("row", name="Lead").inner_text().split("\t")[2].strip() == "Prospect"
    assert "Disqualified" in panel.get_by_role("row", name="Partner").inner_text()
    panel.get_by_text("0 of 2 owners match a rep").wait_for()
    assert page.locator(".alert").count() == 0
    look(page, f"{name}-trial")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.get_by_role("button", name="Import").click()
    page.wait_for_url("**/ops/import/import-*")
    # The next file of the same headers is tried at once.
    page.goto("/ops/import")
    following = report.replace('"Partner"', '"Reseller"').replace("Rhea", "Rae")
    page.evaluate(DROP, [following.replace('"250"', '""'), f"{name}-next.csv"])
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**/trial")
    panel = page.get_by_role("region", name="How the file is read")
    panel.get_by_text("no new column").wait_for()
    panel.get_by_text("Rae Holt").first.wait_for()
    look(page, f"{name}-next")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    context.close()
    assert watch.wrong == []
