"""A page with a map as a person meets it, in headless Chromium: opened, dragged, zoomed, filtered.

A script that is there before the page's own finds the Leaflet map, whoever made it, and notes when
a picture stands: the frame after the map says ``data-ready``, or, of plain folium, the frame after
the first symbols are in the page.
"""

from __future__ import annotations

import itertools
import shutil
import statistics
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from measure import Figures
    from playwright.sync_api import Browser, BrowserContext, Page

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update"]  # fmt: skip
SIZE = {"width": 1280, "height": 800}
VISITS, DRAGS, ZOOMS, FILTERINGS = 5, 5, 3, 24
QUIET_MS = 800  # a page that asks for nothing more for so long is whole
DRAG_STEPS, DRAG_PX, FRAME_MS = 40, 7, 16
OURS = ".market-map[data-ready=true]"
# Of plain folium: markers, clusters, or the one canvas of many circles.
THEIRS = ".leaflet-marker-icon, .marker-cluster, .leaflet-overlay-pane canvas"
SCRIPT = """
window.bench = {first: null, whole: null, ready: [], listed: 0, frames: null, map: null};
{
  const frame = requestAnimationFrame;
  const after = (say) => frame(() => frame(() => say(performance.now())));
  let leaflet;
  Object.defineProperty(window, "L", {configurable: true, get: () => leaflet, set: (found) => {
    leaflet = found;
    found.Map.addInitHook(function () { bench.map = this; });
  }});
  const isReady = () => document.querySelector(SELECTOR) !== null;
  new MutationObserver((changes) => {
    if (bench.first === null && isReady()) {
      bench.first = 0;
      after((at) => { bench.first = at; });
    }
    if (changes.some((one) => one.type === "childList" && one.target.dataset?.part === "list"))
      after((at) => { bench.listed = at; });
    if (changes.some((one) => one.attributeName === "data-lines"))
      after((at) => { bench.whole = at; });
    const told = changes.filter((one) => one.attributeName === "data-ready");
    if (told.some((one) => one.target.dataset.ready === "true"))
      after((at) => bench.ready.push(at));
  }).observe(document, {
    subtree: true, childList: true, attributeFilter: ["data-ready", "data-lines"],
  });
  bench.record = () => {
    const frames = bench.frames = [];
    let last = performance.now();
    frame(function next(now) {
      frames.push(now - last); last = now;
      if (frames === bench.frames) frame(next);
    });
  };
  bench.stop = () => { const frames = bench.frames; bench.frames = null; return frames.slice(1); };
  bench.click = (target) => new Promise((done) => {
    const before = bench.ready.length, from = performance.now();
    target.click();
    (function look() {
      const isDone = bench.ready.length > before && bench.listed > from;
      if (isDone) done(Math.max(bench.ready.at(-1), bench.listed) - from); else setTimeout(look, 2);
    })();
  });
  bench.zoom = (target) => new Promise((done) => {
    const from = performance.now(), box = bench.map.getContainer();
    bench.map.once("moveend", () => frame(function look() {
      if (box.dataset.ready === "false") setTimeout(look, 2); else after((at) => done(at - from));
    }));
    target.click();
  });
}
"""


@dataclass(frozen=True)
class Target:
    """A page to look at: its address, the cookie of who looks, and whether it is the app's own."""

    address: str
    cookie: str | None = None
    is_ours: bool = False
    limit_s: int = 60

    @property
    def origin(self) -> str:
        """Where its own requests go."""
        return "/".join(self.address.split("/")[:3]) + "/"


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser that Debian has, as the tests do.

    Raises
    ------
    SystemExit
        If there is none.
    """
    path = shutil.which("chromium")
    if path is None:
        raise SystemExit("There is no chromium (apt-get install chromium).")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def look(browser: Browser, target: Target) -> Figures:
    """Measure one page: first visits by new browsers, then a walk about the map in the last one."""
    visits = [visit(browser, target) for _ in range(VISITS - 1)]
    with _opened(browser, target) as (page, seen):
        visits.append(_first(page, seen, target))
        heap_mb = _heap_mb(page)
        figures = {"heap_mb": heap_mb, **drag(page), **zoom(page)}
        if target.is_ours:
            figures |= sift(page)
        figures["outside_requests"] = len(seen.outside)
    return {
        "first_visit_bytes": round(statistics.median(one["bytes"] for one in visits)),
        "first_visit_requests": visits[-1]["requests"],
        "first_prospects_ms": statistics.median(one["first_ms"] for one in visits),
        "first_prospects_worst_ms": max(one["first_ms"] for one in visits),
        **(
            {"with_rings_ms": statistics.median(one["whole_ms"] for one in visits)}
            if target.is_ours
            else {}
        ),
        **figures,
    }


def visit(browser: Browser, target: Target) -> Figures:
    """Open a page in a browser that was never there; gives bytes, requests and ``first_ms``."""
    with _opened(browser, target) as (page, seen):
        return _first(page, seen, target)


@dataclass
class _Seen:
    """What went over the wire."""

    received: int
    requests: int
    outside: list[str]


@contextmanager
def _opened(browser: Browser, target: Target) -> Iterator[tuple[Page, _Seen]]:
    context: BrowserContext = browser.new_context(viewport=SIZE)
    if target.cookie:
        context.add_cookies(
            [{"name": "territory-session", "value": target.cookie, "url": target.origin}]
        )
    page, seen = context.new_page(), _Seen(0, 0, [])
    page.set_default_timeout(1000 * target.limit_s)
    page.on("request", lambda asked: _note(seen, asked.url, target.origin))
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.on("Network.loadingFinished", lambda told: _add(seen, told))
    page.add_init_script(SCRIPT.replace("SELECTOR", repr(OURS if target.is_ours else THEIRS)))
    yield page, seen
    context.close()


def _note(seen: _Seen, address: str, origin: str) -> None:
    if not address.startswith((origin, "data:", "blob:")):
        seen.outside.append(address)


def _add(seen: _Seen, told: dict[str, Any]) -> None:
    seen.received += int(told["encodedDataLength"])
    seen.requests += 1


def _first(page: Page, seen: _Seen, target: Target) -> Figures:
    page.goto(target.address, wait_until="commit")
    page.wait_for_function("() => bench.first > 0", polling=50)
    before = -1
    while before != seen.requests:
        before = seen.requests
        page.wait_for_timeout(QUIET_MS)
    return {
        "bytes": seen.received,
        "requests": seen.requests,
        "first_ms": page.evaluate("bench.first"),
        "whole_ms": page.evaluate("bench.whole"),
    }


def _heap_mb(page: Page) -> float:
    """Give the JavaScript heap that is left after a collection."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    session.send("HeapProfiler.collectGarbage")
    told = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    return told["JSHeapUsedSize"] / 1e6


def drag(page: Page) -> Figures:
    """Drag the map to and fro; gives the frames in ms: median, and the worst of all drags."""
    box = page.locator(".leaflet-container").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    worst, frames = [], []
    for turn in range(DRAGS):
        way = 1 if turn % 2 else -1
        page.mouse.move(x, y)
        page.evaluate("bench.record()")
        page.mouse.down()
        for step in range(1, DRAG_STEPS + 1):
            page.mouse.move(x + way * step * DRAG_PX, y + way * step * DRAG_PX / 4)
            page.wait_for_timeout(FRAME_MS)
        page.mouse.up()
        drawn = page.evaluate("bench.stop()")
        worst.append(max(drawn))
        frames += drawn
        _settle(page)
    return {
        "drag_frame_ms": statistics.median(frames),
        "drag_worst_frame_ms": max(worst),
        "drag_worst_of_median_drag_ms": statistics.median(worst),
    }


def zoom(page: Page) -> Figures:
    """Zoom in and out by the buttons; gives ms from click to new picture, and the worst frame."""
    took, worst = [], []
    for way in itertools.chain(["in"] * ZOOMS, ["out"] * ZOOMS):
        page.evaluate("bench.record()")
        button = page.locator(f".leaflet-control-zoom-{way}")
        took.append(button.evaluate("(button) => bench.zoom(button)"))
        worst.append(max(page.evaluate("bench.stop()"), default=0.0))
        _settle(page)
    return {
        "zoom_ms": statistics.median(took),
        "zoom_worst_ms": max(took),
        "zoom_worst_frame_ms": max(worst),
    }


def sift(page: Page) -> Figures:
    """Tick one filter after the other; gives ms from click to new picture, list and counts too."""
    boxes = page.locator("#filters > fieldset input[type=checkbox]")
    number, took = boxes.count(), []
    for turn in range(FILTERINGS):
        box = boxes.nth(turn * 5 % number)
        took.append(box.evaluate("(box) => bench.click(box)"))
        _settle(page)
    return {"filter_median_ms": statistics.median(took), "filter_worst_ms": max(took)}


def _settle(page: Page) -> None:
    """Wait until a map of ours has its answer, and a moment more."""
    page.wait_for_function("() => bench.map.getContainer().dataset.ready !== 'false'", polling=20)
    page.wait_for_timeout(150)
