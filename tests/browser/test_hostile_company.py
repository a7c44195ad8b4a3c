"""Every page of every role in a real browser, over a company in which every text breaks out."""

from __future__ import annotations

import csv
import html
import io
import re
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from werkzeug.exceptions import HTTPException

from territory.access import one_time_links, users
from territory.access import sign_in as entry
from territory.eligibility import desk
from territory.store import open_store
from tests.browser.test_pages import DESK, Watch
from tests.fixtures import hostile, importing
from tests.fixtures.eligibility_drawn import policy
from tests.fixtures.hr_apps import press, work_off
from tests.fixtures.reading import token
from tests.fixtures.web import NOW, make_app, serve, sign_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask
    from flask.testing import FlaskClient
    from playwright.sync_api import Page

    from territory.store import Store

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
ROLES = ("ops", "rep", "hr", "admin", "viewer")
BROKEN = 'img[onerror], svg[onload], script:not([src]):not([type="application/json"])'
EACH = 2  # pages of one kind that a role opens
DOWNLOADS = (
    ".webmanifest",
    ".csv",
    ".xlsx",
    ".json",
    ".js",
    ".toml",
    ".geojson",
    ".kml",
    ".gpkg",
    ".pdf",
)
# Pages that no link leads to once one is in.
NOT_LINKED = {
    "auth.sign_in", "auth.link", "oidc.begin", "oidc.finish", "self_check.ask", "self_check.check",
}  # fmt: skip


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The app with sign-in; whoever comes, whatever was imported, decided or saved is hostile."""
    folder = tmp_path_factory.mktemp("broken")
    url = f"sqlite:///{folder}/hostile.sqlite"
    with open_store(url) as store:
        hostile.bring(store, folder)
        ids = {
            role: users.add_user(
                store, f"{role}@example.com", name=hostile.NAMES[n], roles={role},
                rep_id="r0" if role == "rep" else None, by=hostile.NAMES[n], now=NOW,
            ).user_id
            for n, role in enumerate(ROLES)
        }  # fmt: skip
        rule = policy(name="Hostile rule")
        desk.save_policy(store, rule, by=hostile.NAMES[0], now=NOW)
        desk.publish_policy(store, rule.name, rule.version, by=hostile.NAMES[0], now=NOW)
        desk.save_policy(store, policy(name=rule.name, version="2"), by=hostile.NAMES[1], now=NOW)
    app = make_app(url, folder / "var", sign_in=True, rate_limits=False, now=lambda: NOW)
    app.config["PEOPLE"] = ids
    ops = sign_in(app, ids["ops"])
    app.config["JOBS"] = import_a_file(app, ops)
    press(ops, "/views", name=hostile.NAMES[0][:80], market_id="m", query="")
    press(ops, "/prospects/p0/notes", text=hostile.NAMES[1])
    press(ops, "/prospects/p0/next-step", words=hostile.NAMES[0], due_on="2026-11-30")
    decide(app, sign_in(app, ids["hr"]))
    return app


def table(*rows: list[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def import_a_file(app: Flask, ops: FlaskClient) -> list[str]:
    """Leave one import done and one tried, of a file whose own name is hostile; give the jobs."""
    names = hostile.NAMES
    body = table(
        ["Account ID", "Name", names[0], "City", "State"],
        *([f"h{n}-{name}", name, name, name, "IL"] for n, name in enumerate(names)),
    )
    done = []
    for verbs in (("try", "commit"), ("try",)):
        page = importing.drop(ops, body, name=f"{names[0]}.csv").location
        for verb in verbs:
            press(ops, f"{page}/{verb}")
            done += work_off(app)
    return [f"/ops/jobs/{job.job_id}" for job in done]


def decide(app: Flask, hr: FlaskClient) -> None:
    """Leave a decision, an exception and a batch, each as hostile as the forms allow."""
    name = hostile.NAMES[0]
    home = {"home": "41.88, -87.63", "person_id": "P-1", "note": name}
    shown = re.search(r'name="record" value="([^"]+)"', press(hr, "/hr", **home).text)
    assert shown is not None
    press(hr, "/hr", **home, record=html.unescape(shown[1]))
    press(hr, "/hr/exceptions", policy="Hostile rule", person_id="P-1", reason=name,
          approver=hostile.NAMES[2], granted_on="2026-11-01", expires_on="2027-11-01")  # fmt: skip
    body = table(
        [name, "Employee ID", "Home Street", "Home City", "State"],
        *([text, f"E-{n}", text, text, "IL"] for n, text in enumerate(hostile.NAMES)),
    )
    for decides in (True, False):
        page = hr.post(
            "/hr/batches",
            data=importing.multipart({"csrf_token": token(hr, "/hr/batches")}, f"{name}.csv", body),
            content_type=f"multipart/form-data; boundary={importing.BOUNDARY}",
        ).location
        if decides:
            press(hr, f"{page}/decide")
            work_off(app)


@pytest.fixture(scope="module")
def doorstep(broken: Flask) -> Iterator[str]:
    yield from serve(broken)


def cookie(store: Store, user_id: str) -> str:
    link = one_time_links.make_link(store, user_id, "sign_in", by="tests", now=NOW)
    come = entry.sign_in_by_link(store, link.secret, is_loopback=True, address=None, now=NOW)
    return come.secret


def endpoint(app: Flask, address: str) -> str | None:
    """Say which view answers an address of this app; None: none that shows a page."""
    path = urlsplit(address).path
    if path.endswith(DOWNLOADS):
        return None
    try:
        return app.url_map.bind("localhost").match(path)[0]
    except HTTPException:
        return None


def walk(page: Page, app: Flask, starts: list[str], seen: Counter[str]) -> None:
    """Open every kind of page that a link leads to, from the starts on."""
    waiting, known = list(starts), set(starts)
    doorstep = starts[0].rstrip("/")
    while waiting:
        address = waiting.pop(0)
        kind = endpoint(app, address)
        if kind is None or seen[kind] >= EACH:
            continue
        seen[kind] += 1
        page.goto(address)
        if page.locator(".market-map").count():
            page.locator(".market-map").first.scroll_into_view_if_needed()
        assert page.title() != "broken", address
        assert page.locator(BROKEN).count() == 0, address
        for link in page.eval_on_selector_all("a[href]", "all => all.map((one) => one.href)"):
            plain = link.split("#")[0]
            if plain.startswith(doorstep) and plain not in known:
                known.add(plain)
                waiting.append(plain)


def test_no_text_of_a_company_runs_on_any_page_of_any_role(chromium, broken, doorstep) -> None:
    watch, opened = Watch(doorstep), Counter[str]()
    for role, user_id in broken.config["PEOPLE"].items():
        with open_store(broken.config["TERRITORY"].store_url) as store:
            secret = cookie(store, user_id)
        context = watch.over(chromium.new_context(viewport=DESK, base_url=doorstep))
        context.add_cookies([{"name": "territory-session", "value": secret, "url": doorstep}])
        seen = Counter[str]()
        starts = ["/", *(broken.config["JOBS"] if role == "ops" else [])]
        walk(context.new_page(), broken, [doorstep + path for path in starts], seen)
        context.close()
        opened |= seen
        assert watch.wrong == [], role
    assert sum(opened.values()) > 50
    assert sorted(pages_of(broken) - set(opened) - NOT_LINKED) == []


def pages_of(app: Flask) -> set[str]:
    """Every view that answers a reader with a page."""
    return {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in rule.methods
        and not rule.rule.endswith(DOWNLOADS)
        and not any(kind in rule.rule for kind in ("/asset/", "/static/", "<any(csv", "/api/"))
        and rule.endpoint not in {"tiles.serve", "ops.healthz"}
    }
