"""What a browser keeps on disk of a day at the HR desk: nothing that tells of a home or person."""

from __future__ import annotations

import gzip
import re
import shutil
import zlib
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pyarrow as pa
import pytest

from tests.browser.test_pages import DESK
from tests.fixtures.desk import desk_app, hr_of
from tests.fixtures.web import FLAGS, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
ADDRESS = "1742 Quetzalcoatl Lane, Norton, KS 67654"
POINT = "39.834217, -99.891345"
PERSON, OTHER = "QX-93571", "QX-48260"
NEEDLES = ("Quetzalcoatl", "67654", "39.834217", "99.891345", PERSON, OTHER)
PATIENCE_MS = 30_000


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return desk_app(tmp_path_factory.mktemp("desk"))


@pytest.fixture(scope="module")
def address(app: Flask) -> Iterator[str]:
    yield from serve(app)


def come(
    chromium: Browser, app: Flask, address: str, profile: Path, **more: object
) -> BrowserContext:
    """Open a browser that keeps its profile in a folder, as anybody's does."""
    context = chromium.browser_type.launch_persistent_context(
        profile,
        executable_path=shutil.which("chromium"),
        args=FLAGS,
        viewport=DESK,
        base_url=address,
        **more,
    )
    context.set_default_timeout(PATIENCE_MS)
    cookie = hr_of(app).get_cookie("territory-session")
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
    return context


def leave(page: Page) -> None:
    """Sign out and close the browser, which writes what it keeps."""
    page.goto("/account")
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_role("button", name="Sign in").first.wait_for()
    page.wait_for_timeout(500)
    page.context.close()


def texts(path: Path) -> Iterator[bytes]:
    """Give a file as it is, and what is compressed in it."""
    content = path.read_bytes()
    yield content
    for match in re.finditer(rb"\x1f\x8b\x08", content):
        try:
            yield zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(content[match.start() :])
        except zlib.error:
            continue
    if path.suffix == ".ldb":
        yield from blocks(content)


def varint(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte, at = content[at], at + 1
        value, shift = value | (byte & 127) << shift, shift + 7
        if byte < 128:
            return value, at


def block(content: bytes, offset: int, size: int) -> bytes:
    """One block of a LevelDB table, decompressed."""
    raw = content[offset : offset + size]
    if content[offset + size] != 1:
        return raw
    length, _ = varint(raw, 0)
    return pa.Codec("snappy").decompress(raw, length, asbytes=True)


def blocks(content: bytes) -> Iterator[bytes]:
    """The blocks of data that the index of a LevelDB table names."""
    at = len(content) - 48
    for _ in range(2):
        _, at = varint(content, at)
    offset, at = varint(content, at)
    size, _ = varint(content, at)
    index = block(content, offset, size)
    at, end = 0, len(index) - 4 - 4 * int.from_bytes(index[-4:], "little")
    while at < end:
        _, at = varint(index, at)
        rest, at = varint(index, at)
        length, at = varint(index, at)
        handle = index[at + rest : at + rest + length]
        at += rest + length
        offset, after = varint(handle, 0)
        yield block(content, offset, varint(handle, after)[0])


def traces(profile: Path) -> list[str]:
    """Say in which files of a profile any needle is, however it is written."""
    places = []
    for path in sorted(path for path in profile.rglob("*") if path.is_file()):
        for content in texts(path):
            lower = content.lower()
            for needle in NEEDLES:
                forms = {needle, quote(needle), quote_plus(needle)}
                coded = [
                    form.lower().encode(code) for form in forms for code in ("utf-8", "utf-16-le")
                ]
                if any(form in lower for form in coded):
                    places.append(f"{path.relative_to(profile)}: {needle}")
    return places


def test_the_search_finds_what_is_compressed(tmp_path: Path) -> None:
    """The search itself can find: as text, wide, in gzip and in a table of LevelDB."""
    (tmp_path / "a").write_bytes(b"x" * 9 + PERSON.encode("utf-16-le"))
    (tmp_path / "b").write_bytes(b"head" + gzip.compress(ADDRESS.encode()))
    data = ADDRESS.encode() * 3
    packed = pa.Codec("snappy").compress(data, asbytes=True)
    entry = bytes([0, 1, 3]) + b"k" + b"\0" + bytes([len(packed) & 127 | 128, len(packed) >> 7])
    index = entry + (0).to_bytes(4, "little") + (1).to_bytes(4, "little")
    table = packed + b"\1" + b"0000" + index + b"\0" + b"0000"
    at = len(packed) + 5
    footer = b"\0\0" + bytes([at & 127 | 128, at >> 7, len(index)])
    (tmp_path / "c.ldb").write_bytes(table + footer.ljust(48, b"\0"))
    found = traces(tmp_path)
    assert f"a: {PERSON}" in found
    assert "b: Quetzalcoatl" in found
    assert "c.ldb: Quetzalcoatl" in found


def test_a_form_that_the_browser_posts_by_itself_would_be_found(
    chromium: Browser, app: Flask, address: str, tmp_path: Path
) -> None:
    context = come(chromium, app, address, tmp_path)
    page = context.new_page()
    page.goto("/hr")
    page.evaluate("document.querySelector('form[data-private]').removeAttribute('data-private')")
    page.get_by_label("Home address, ZIP or coordinates").fill(ADDRESS)
    page.get_by_label("Person, by reference").fill(OTHER)
    page.get_by_role("button", name="Check").click()
    page.locator(".verdict").wait_for()
    page.wait_for_timeout(3_000)  # sessions are written now and then
    context.close()
    assert any("Quetzalcoatl" in place for place in traces(tmp_path))


def test_after_a_day_at_the_desk_the_profile_tells_of_nobody(
    chromium: Browser, app: Flask, address: str, tmp_path: Path
) -> None:
    profile, file = tmp_path / "profile", tmp_path / "homes.csv"
    file.write_text(f"id,address,ZIP\n{OTHER},1742 Quetzalcoatl Lane,67654\n", "utf-8")
    context = come(chromium, app, address, profile)
    page = context.new_page()
    posted: list[str] = []
    page.on(
        "request", lambda request: posted.append(request.url) if request.method == "POST" else None
    )
    for home in (ADDRESS, POINT):
        page.goto("/hr")
        page.get_by_label("Home address, ZIP or coordinates").fill(home)
        page.get_by_label("Person, by reference").fill(PERSON)
        page.get_by_role("button", name="Check").click()
        page.locator(".verdict").wait_for()
        page.get_by_role("button", name="Record decision").click()
        page.get_by_role("link", name="Certificate").wait_for()
    number = len(posted)
    page.reload()
    page.go_back()
    page.go_forward()
    page.wait_for_load_state()
    assert len(posted) == number  # neither Reload nor Back sends anything again
    page.goto("/hr/decisions")
    page.get_by_label("Person or decision").fill(PERSON)
    page.get_by_role("button", name="Search").click()
    page.get_by_text(f"about {PERSON}").wait_for()
    page.locator(".chips button", has_text="Eligible").first.click()
    page.locator("tbody th a").first.click()
    page.get_by_role("button", name=PERSON, exact=True).click()
    page.get_by_text(f"about {PERSON}").wait_for()
    page.goto("/hr/exceptions")
    page.get_by_label("Person, by reference").fill(OTHER)
    page.get_by_label("Reason").fill("hardship")
    page.get_by_label("Approved by").fill("J. Doe")
    page.get_by_label("Ends before").fill("2027-06-01")
    page.get_by_role("button", name="Grant").click()
    page.locator(".done").wait_for()
    page.goto("/hr/planning")
    page.get_by_label("Its place").first.fill(POINT)
    page.get_by_role("button", name="Count").click()
    page.locator("#found").wait_for()
    page.goto("/hr/batches")
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("button", name="Decide every row").wait_for()
    page.get_by_role("button", name="Decide every row").click()
    page.wait_for_load_state("networkidle")
    page.goto("/hr/purge")
    page.get_by_label("Person, by reference").fill(PERSON)
    page.get_by_role("button", name="Look").click()
    page.get_by_role("button", name="Purge 2 homes").click()
    page.locator(".done").wait_for()
    page.wait_for_timeout(3_000)
    urls = page.evaluate("performance.getEntriesByType('navigation').map(e => e.name)")
    assert not [needle for needle in NEEDLES for url in urls if needle in url]
    leave(page)
    assert traces(profile) == []
