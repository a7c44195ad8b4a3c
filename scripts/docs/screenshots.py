#!/usr/bin/env python3
"""Take the pictures of docs/screenshots from the demo company, with headless Chromium.

Usage: scripts/docs/screenshots.py [NAME ...]   all pictures, or only those named
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
import threading
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from territory import demo as demo_company
from territory.eligibility import desk
from territory.eligibility.rules import read_eligibility_policy
from territory.store import open_store
from webmap import Settings, create_app
from webmap.server import demo_links

if TYPE_CHECKING:
    from playwright.sync_api import Browser, StorageState

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
RULE = FOLDER.parents[1] / "data" / "eligibility_fifty_miles.toml"
DAY = date(2026, 11, 23)
DESK, PHONE = (1280, 800), (390, 844)
LARGEST_BYTES = 250_000


@dataclass(frozen=True)
class Shot:
    """One picture of a page, as ``who`` sees it.

    ``scroll_to`` is brought into view first; ``home`` is checked first.
    """

    path: str
    size: tuple[int, int] = DESK
    scheme: str = "light"
    has_map: bool = False
    scroll_to: str | None = None
    home: str | None = None
    who: str = "Sales ops"


SHOTS = {
    "home": Shot("/"),
    "home-map": Shot("/", has_map=True, scroll_to=".overview-map"),
    "home-phone": Shot("/", PHONE),
    "market": Shot("/markets/M-NYC", has_map=True),
    "market-card": Shot("/markets/M-CHI?prospect=abbott-laboratories", has_map=True),
    "market-dark": Shot("/markets/M-BAY", scheme="dark", has_map=True),
    "market-phone": Shot("/markets/M-CHI?prospect=abbott-laboratories", PHONE, has_map=True),
    "market-density": Shot("/markets/M-NYC?draw=density", has_map=True),
    "profile": Shot("/markets/M-CHI/profile"),
    "book": Shot("/markets/M-CHI/book"),
    "prospect": Shot("/prospects/abbott-laboratories"),
    "findings": Shot("/findings"),
    "import": Shot("/ops/import"),
    "places": Shot("/ops/places"),
    "eligibility": Shot("/hr", home="80301", who="HR"),
    "eligibility-phone": Shot("/hr", PHONE, home="80301", who="HR"),
}


class Quiet(WSGIRequestHandler):
    """Answers without a line per request."""

    def log(self, *_: object) -> None:
        """Say nothing."""


def save(png: bytes, name: str) -> int:
    """Write a picture as it is, or in fewer colours where it would be over the limit."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    for colours in (None, 256, 128):
        out = io.BytesIO()
        few = image.quantize(colours, Image.Quantize.FASTOCTREE) if colours else image
        few.save(out, "PNG", optimize=True)
        if out.tell() <= LARGEST_BYTES:
            break
    (FOLDER / f"{name}.png").write_bytes(out.getvalue())
    return out.tell()


def sign_in(browser: Browser, link: str) -> StorageState:
    """Go in by a one-time link; gives the cookies that say so."""
    page = browser.new_page()
    page.goto(link)
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url(lambda address: "/sign-in" not in address)
    cookies = page.context.storage_state()
    page.context.close()
    return cookies


def main(names: list[str]) -> int:
    unknown = sorted(set(names) - set(SHOTS))
    if unknown:
        print(f"no picture {', '.join(unknown)}; there are {', '.join(SHOTS)}", file=sys.stderr)
        return 2
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        url = f"sqlite:///{folder}/demo.sqlite"
        with open_store(url) as store:
            now = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)
            demo_company.load_demo(store, now=now)
            rule = read_eligibility_policy(RULE)
            desk.save_policy(store, rule, by="example", now=now)
            desk.publish_policy(store, rule.name, rule.version, by="example", now=now)
        app = create_app(Settings(url, Path(folder), today=lambda: DAY))
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        base_url = f"http://127.0.0.1:{server.server_port}"
        with open_store(url) as store:
            links = dict(demo_links(store, base_url, now=datetime.now(UTC)))
        cookies = {
            who: sign_in(browser, links[who])
            for who in {SHOTS[name].who for name in names or SHOTS}
        }
        for name in names or SHOTS:
            shot = SHOTS[name]
            width, height = shot.size
            page = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme=shot.scheme,
                base_url=base_url,
                storage_state=cookies[shot.who],
            )
            page.goto(shot.path)
            if shot.home:
                page.locator("input[name=home]").fill(shot.home)
                page.locator("input[name=home]").press("Enter")
                page.wait_for_url("**/hr")
            if shot.scroll_to:
                page.locator(shot.scroll_to).scroll_into_view_if_needed()
            if shot.has_map:
                page.wait_for_selector(".market-map[data-ready=true]")
            page.wait_for_load_state("networkidle")
            print(f"{name}: {save(page.screenshot(), name):,} bytes")
            page.close()
        browser.close()
        server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
