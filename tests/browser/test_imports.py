"""Drop, map, dry run, commit, fix by dragging a pin, undo: in a real browser with a real worker."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from territory.store import open_store
from tests.browser.test_pages import DESK, PHONE, READY, Watch
from tests.fixtures.importing import MESSY, bring_in, own_app
from tests.fixtures.web import serve
from webmap.server.worker import COMMAND

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
PATIENCE_MS = 60_000  # of a worker on a busy machine
DROP = """([text, name]) => {
  const files = new DataTransfer();
  files.items.add(new File([text], name, {type: "text/csv"}));
  const zone = document.querySelector("[data-drop]");
  for (const kind of ["dragenter", "dragover", "drop"])
    zone.dispatchEvent(new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: files}));
}"""


@pytest.fixture(scope="module")
def app(demo_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return own_app(demo_file, tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def address(app: Flask) -> Iterator[str]:
    yield from serve(app)


@pytest.fixture
def worker(app: Flask) -> Iterator[None]:
    """The process that `territory serve` starts."""
    settings = app.config["TERRITORY"]
    told = {"TERRITORY_STORE": settings.store_url, "TERRITORY_VAR": str(settings.var_dir)}
    with subprocess.Popen(
        (*COMMAND, "60"), stdin=subprocess.PIPE, env=os.environ | told
    ) as process:
        yield
        process.stdin.close()
        assert process.wait(20) == 0


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    watch = Watch(address)
    context = watch.over(
        chromium.new_context(viewport=DESK, base_url=address, reduced_motion="reduce")
    )
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()
    assert watch.wrong == []


@pytest.fixture(scope="module")
def imported(app: Flask) -> str:
    """The address of an import that is there already."""
    return bring_in(app, app.test_client())


def held(app: Flask, prospect_id: str):
    with open_store(app.config["TERRITORY"].store_url) as store, store.read() as transaction:
        found = transaction.table("prospects", prospect_id=prospect_id)
    return found.iloc[0] if len(found) else None


def test_drop_map_try_import_fix_by_dragging_a_pin_and_undo(page, app, worker):
    # Drop: a file without any header that we know.
    page.goto("/ops/import")
    text = MESSY.replace("Account Name", "Firma").replace("A-", "B-")
    page.evaluate(DROP, [text, "drop.csv"])
    page.get_by_text("drop.csv (1 kB)").wait_for()
    page.get_by_role("button", name="Upload").click()
    # Map: the name is missing; say which header it is.
    page.wait_for_url("**/ops/import/files/*")
    page.get_by_text("Name: required, not matched yet").wait_for()
    page.get_by_label("Field for Firma").select_option("name")
    # Dry run.
    page.get_by_role("button", name="Start dry run").click()
    page.wait_for_url("**/trial")
    page.get_by_text("All rows accounted for").wait_for()
    assert held(app, "B-2") is None
    page.get_by_role("link", name="Duplicate").click()
    page.get_by_text("is on line 5 already").wait_for()
    # Commit.
    page.get_by_role("button", name="Import 6 rows").click()
    page.wait_for_url(re.compile(r"/ops/import/import-\d+$"))
    result = page.url
    page.get_by_text("2 of 6 addresses to review").wait_for()
    assert held(app, "B-2")["placement"] == "conflict"
    # Fix: drag the pin.
    page.get_by_role("link", name="Review 2 addresses").click()
    page.get_by_role("searchbox").fill("B-2")
    page.get_by_role("button", name="Show").click()
    page.wait_for_selector(READY)
    before = float(page.get_by_label("Longitude").input_value())
    pin = page.locator(".map-pin")
    box = pin.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + 8
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y + 5, steps=4)
    page.mouse.move(x + 60, y + 10, steps=4)
    page.mouse.up()
    assert page.locator("[data-pin]").is_checked()
    moved = float(page.get_by_label("Longitude").input_value())
    assert moved > before
    page.get_by_role("button", name="Save").click()
    page.get_by_role("status").get_by_text("placed at the pin").wait_for()
    placed = held(app, "B-2")
    assert placed["placement"] == "placed"
    assert placed["lon"] == pytest.approx(moved, abs=1e-6)
    # Undo the whole import.
    page.goto(result)
    page.get_by_role("link", name="Undo import").click()
    page.get_by_text("4 prospects that it added will be removed").wait_for()
    page.get_by_role("button", name="Undo the import").click()
    page.get_by_text("This import was undone").wait_for()
    assert held(app, "B-1") is None


def test_the_same_without_javascript(chromium, address, app, worker):
    watch = Watch(address)
    context = watch.over(
        chromium.new_context(viewport=DESK, base_url=address, java_script_enabled=False)
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto("/ops/import")
    text = MESSY.replace("A-", "C-").encode()
    page.locator("input[type=file]").set_input_files(
        {"name": "plain.csv", "mimeType": "text/csv", "buffer": text}
    )
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("button", name="Start dry run").click()
    page.wait_for_url("**/trial")  # the page of the job loads itself anew
    page.get_by_role("button", name="Import 6 rows").click()
    page.wait_for_url(re.compile(r"/ops/import/import-\d+$"))
    page.goto("/ops/places?row=C-2")
    page.get_by_label("Drag the pin, or enter coordinates").check()
    page.get_by_label("Latitude").fill("43.05")
    page.get_by_label("Longitude").fill("-88.11")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("placed at the pin").wait_for()
    assert (held(app, "C-2")["lat"], held(app, "C-2")["lon"]) == (43.05, -88.11)
    context.close()
    assert watch.wrong == []


def test_a_file_that_cannot_be_read_is_told_beside_the_field(chromium, address):
    page = chromium.new_page(base_url=address)
    page.goto("/ops/import")
    page.evaluate(DROP, ["MZ", "virus.exe"])
    page.get_by_role("button", name="Upload").click()
    page.get_by_text("virus.exe: .exe is no format").wait_for()
    assert page.url.endswith("/ops/import")
    assert page.get_by_role("button", name="Upload").is_enabled()
    page.close()


def test_keys_choose_a_place_and_the_map_follows(page, imported):
    page.goto("/ops/places?row=A-2")
    page.wait_for_selector(READY)
    assert page.locator(".map-candidate.on").inner_text() == "1"
    page.keyboard.press("3")
    assert page.locator("[data-number='3']").is_checked()
    assert page.locator(".map-candidate.on").inner_text() == "3"
    assert page.locator("path.map-uncertainty").count() == 1
    page.locator(".map-candidate", has_text=re.compile("^2$")).dispatch_event("click")
    assert page.locator("[data-number='2']").is_checked()


def test_the_pin_moves_by_keys_and_by_what_is_typed(page, imported):
    page.goto("/ops/places?row=A-2")
    page.wait_for_selector(READY)
    pin = page.locator(".map-pin")
    pin.focus()
    before = page.locator("input[name=lon]").input_value()
    page.keyboard.press("ArrowRight")
    assert page.locator("[data-pin]").is_checked()
    assert float(page.get_by_label("Longitude").input_value()) > float(before)
    place = pin.bounding_box()
    page.get_by_label("Latitude").fill("43.2")
    assert pin.bounding_box()["y"] < place["y"]
    assert "43.20000 N" in page.inner_text("[data-position]")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_import_page_of_a_phone_scrolls_sideways_or_has_a_small_target(
    chromium, address, imported, scheme
):
    watch = Watch(address)
    context = watch.over(
        chromium.new_context(viewport=PHONE, base_url=address, has_touch=True, color_scheme=scheme)
    )
    page = context.new_page()
    page.goto("/ops/import")
    file = page.locator("a[href*='/files/'], a[href*='/ops/jobs/']").first.get_attribute("href")
    for path in (
        "/ops/import", file, f"{file}/trial", imported, f"{imported}?show=differences",
        f"{imported}/undo", "/ops/places?row=A-2", "/ops/places?q=zzzz", "/ops/duplicates",
    ):  # fmt: skip
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
        small = page.evaluate(
            "() => [...document.querySelectorAll('.btn, .nav a, .input, .choice')]"
            ".filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 43.5)"
            ".map(e => e.textContent)"
        )
        assert small == [], path
        assert page.locator(".nav li:visible").count() == 4
    context.close()
    assert watch.wrong == []


def test_every_import_page_has_one_heading_labels_and_at_most_one_filled_button(page, imported):
    for path in ("/ops/import", imported, f"{imported}/undo", "/ops/places", "/ops/duplicates"):
        page.goto(path)
        assert page.locator("h1").count() == 1
        assert page.locator(".btn.primary:visible").count() <= 1, path
        nameless = page.evaluate(
            "() => [...document.querySelectorAll('input:not([type=hidden]), select, button')]"
            ".filter(e => !e.labels?.length && !e.textContent.trim()).map(e => e.outerHTML)"
        )
        assert nameless == [], path
