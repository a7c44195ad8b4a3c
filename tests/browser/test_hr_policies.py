"""A batch from drop to download, and a rule from the bench to its first day, in a browser."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.test_imports import DROP
from tests.browser.test_pages import DESK, PHONE, Watch
from tests.fixtures.eligibility_stores import NOW
from tests.fixtures.hr_apps import come_as, decide_people, decisions, hr_app
from tests.fixtures.web import serve
from tests.webmap.hr.test_batches import DECISIONS, ROWS, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
PATIENCE_MS = 60_000  # of a worker on a busy machine
WORKER = """
import os, sys
from datetime import datetime
from pathlib import Path
from territory.jobs import worker
now, folder = datetime.fromisoformat(sys.argv[1]), Path(os.environ["TERRITORY_VAR"])
worker.work(os.environ["TERRITORY_STORE"], folder, clock=lambda: now, is_bound=True)
"""
SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
PAGES = ("/hr/batches", "/hr/policies", "/hr/policies/edit?example=area_or_station",
         "/hr/policies/publish?name=rule&version=1", "/hr/planning")  # fmt: skip


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    made = hr_app(tmp_path_factory.mktemp("hr"), self_check=True)
    decide_people(made, {f"E-{n}": 40 + n for n in range(1, 21)})
    return made


@pytest.fixture(scope="module")
def address(app: Flask) -> Iterator[str]:
    yield from serve(app)


@pytest.fixture(scope="module")
def secret(app: Flask) -> str:
    cookie = come_as(app, "hr").get_cookie("territory-session")
    assert cookie is not None
    return cookie.value


@pytest.fixture
def come(chromium: Browser, address: str, secret: str):
    """Open a page as HR; at the end nothing may have gone wrong in any."""
    watch, contexts = Watch(address), []

    def opened(size: dict[str, int] = DESK, **more: object) -> Page:
        context = watch.over(
            chromium.new_context(viewport=size, base_url=address, reduced_motion="reduce", **more)
        )
        context.set_default_timeout(PATIENCE_MS)
        context.add_cookies([{"name": "territory-session", "value": secret, "url": address}])
        contexts.append(context)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()
    assert watch.wrong == []


@pytest.fixture
def worker(app: Flask) -> Iterator[None]:
    """A process that runs jobs by the clock of the app: by another one it would sweep its files."""
    settings = app.config["TERRITORY"]
    told = {"TERRITORY_STORE": settings.store_url, "TERRITORY_VAR": str(settings.var_dir)}
    with subprocess.Popen(
        (sys.executable, "-c", WORKER, NOW.isoformat()),
        stdin=subprocess.PIPE,
        env=os.environ | told,
    ) as process:
        yield
        process.stdin.close()
        assert process.wait(20) == 0


def test_a_batch_is_dropped_mapped_decided_and_taken_away(app, come, worker):
    page, before = come(), decisions(app)
    page.goto("/hr/batches")
    page.evaluate(DROP, [text_of(ROWS).decode(), "new hires.csv"])
    expect(page.locator("[data-name]")).to_have_text(re.compile(r"new hires\.csv \(1 kB\)"))
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("new hires.csv")
    expect(page.get_by_label("Column of Home ZIP")).to_have_value("postal_code")
    expect(page.get_by_label("Column of Note")).to_have_value("")
    page.get_by_label("Exact").check()
    page.get_by_role("button", name="Decide every row").click()
    expect(page.get_by_role("heading", name="Verdicts")).to_be_visible(timeout=PATIENCE_MS)
    row = page.get_by_role("row", name=re.compile("^Cannot decide"))
    expect(row.get_by_role("cell").first).to_have_text("5")
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download with verdicts").click()
    with open(downloading.value.path(), encoding="utf-8-sig", newline="") as file:  # noqa: PTH123
        table = list(csv.DictReader(file))
    assert [each["decision"] for each in table] == DECISIONS
    assert [each["Employee ID"] for each in table] == [row[1] for row in ROWS[1:]]
    assert float(table[0]["distance_mi"]) == pytest.approx(8.7, abs=0.01)
    assert decisions(app) == before + 8
    page.get_by_role("button", name="Remove the file").click()
    expect(page.get_by_text("No file of homes lies on the server.")).to_be_visible()


def test_a_rule_is_tried_saved_and_published(come):
    page = come()
    page.goto("/hr/policies")
    page.get_by_role("link", name="Next version of rule 1").click()
    page.get_by_label("Version").fill("2")
    page.get_by_label("Limit", exact=True).fill("45.5")
    page.get_by_label("Limit", exact=True).press("Enter")  # tries, and saves nothing
    bench = page.get_by_role("region", name="What would change")
    expect(bench.get_by_role("status")).to_contain_text("under rule 2: 5 would change")
    move = bench.get_by_role("row", name=re.compile("^Eligible")).first
    expect(move.get_by_role("cell").nth(1)).to_have_text("5")
    expect(bench.get_by_role("region", name="Decisions that would change")).to_contain_text("E-6")
    with page.expect_download() as downloading:
        page.get_by_role("button", name="All 5 as CSV").click()
    assert downloading.value.suggested_filename == "eligibility-changes-rule-2.csv"
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.get_by_text("The draft is saved.")).to_be_visible()
    page.get_by_role("link", name="Publish… rule 2").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Publish rule 2?")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("The policy is published")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("^rule 2"))).to_contain_text("Starts later")


def test_a_plan_of_offices_is_counted(come):
    page = come()
    page.goto("/hr/planning")
    page.get_by_label("West").check()
    page.get_by_role("button", name="Count").click()
    row = page.get_by_role("row", name=re.compile("^Loses eligibility"))
    expect(row).to_contain_text("through West")
    expect(page.get_by_label("West")).to_be_checked()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_no_page_scrolls_sideways_and_each_has_one_filled_button(come, size, scheme):
    page = come(size, color_scheme=scheme)
    for path in (*PAGES, "/self-check"):
        page.goto(path)
        assert not page.evaluate(SIDEWAYS), path
        assert page.locator(".btn.primary:visible").count() == 1, path
        assert page.get_by_role("heading", level=1).count() == 1, path


def test_all_of_it_works_without_scripts(come):
    page = come(java_script_enabled=False)
    page.goto("/hr/batches")
    page.get_by_label("Drop a file here").set_input_files(
        {"name": "a.csv", "mimeType": "text/csv", "buffer": text_of(ROWS)}
    )
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("a.csv")
    page.get_by_role("button", name="Remove the file").click()
    page.goto("/hr/policies/edit?example=fifty_miles")
    page.get_by_role("button", name="Add an alternative").click()
    expect(page.get_by_role("heading", name="Or", exact=True)).to_be_visible()
    page.get_by_role("button", name="Remove alternative 1").click()
    expect(page.get_by_role("heading", name="Or", exact=True)).to_have_count(0)


def test_the_self_check_says_what_would_settle_it(come):
    page = come(PHONE)
    page.goto("/self-check")
    page.get_by_label("ZIP code").fill("80202")
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("heading", level=2)).to_have_text("Not eligible")
    expect(page.get_by_text("Nothing of this is stored.")).to_be_visible()
