"""A page can be put on the home screen of a phone: its manifest, its icons, where it starts."""

from __future__ import annotations

import io
import json

import pytest
from PIL import Image

from tests.fixtures.reading import Page


def linked(client, path, rel) -> str:
    return next(
        str(given["href"])
        for tag, given in Page(client.get(path)).tags
        if tag == "link" and given.get("rel") == rel
    )


def manifest(client, path) -> dict:
    answer = client.get(linked(client, path, "manifest"))
    assert answer.status_code == 200
    assert answer.mimetype == "application/manifest+json"
    return json.loads(answer.data)


def test_every_page_names_a_manifest_that_opens_and_icons_of_the_size_they_say(client):
    told = manifest(client, "/")
    assert told["start_url"] == told["id"] == told["scope"] == "/"
    assert told["name"] == "Territory"
    assert client.get(told["start_url"]).status_code == 200
    purposes = {icon["purpose"] for icon in told["icons"]}
    assert purposes == {"any", "maskable"}
    assert {"192x192", "512x512"} <= {icon["sizes"] for icon in told["icons"]}
    for icon in told["icons"]:
        answer = client.get(icon["src"])
        assert answer.mimetype == icon["type"] == "image/png"
        size = Image.open(io.BytesIO(answer.data)).size
        assert "x".join(map(str, size)) == icon["sizes"]


def test_a_phone_that_reads_no_manifest_has_an_icon_without_clear_parts(client):
    answer = client.get(linked(client, "/", "apple-touch-icon"))
    image = Image.open(io.BytesIO(answer.data))
    assert image.size == (180, 180)
    assert image.convert("RGBA").getextrema()[3] == (255, 255)


def test_a_market_starts_where_it_is_filtered_and_moved_to(client):
    here = "/markets/M-CHI?q=inc&status=customer&at=8,41.9,-87.6"
    told = manifest(client, here)
    assert told["start_url"] == told["id"] == here
    assert client.get(told["start_url"]).status_code == 200
    assert manifest(client, "/findings?code=x")["start_url"] == "/"


@pytest.mark.parametrize(
    "start", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)",
              "/a\nb", "/" + "x" * 5000, "markets"],
)  # fmt: skip
def test_no_manifest_starts_anywhere_else(client, start):
    told = json.loads(client.get("/app.webmanifest", query_string={"start": start}).data)
    assert told["start_url"] == "/"


def test_the_policy_lets_a_manifest_come_from_here_alone(client):
    policy = client.get("/").headers["Content-Security-Policy"]
    assert "manifest-src 'self'" in policy


def test_whoever_is_not_signed_in_has_the_manifest_and_nothing_private_in_it(doors):
    told = manifest(doors.test_client(), "/sign-in?next=/markets/M-CHI")
    assert told["start_url"] == "/"
