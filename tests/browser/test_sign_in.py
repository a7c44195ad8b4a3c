"""The outer door: other hosts, proxies, cookies behind TLS, how often one asks; and a browser."""

from __future__ import annotations

import http.client
import re
import shutil
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from territory.access import one_time_links
from territory.cli.main import cli
from territory.errors import InputError
from territory.store import open_store
from tests.fixtures.reading import Page, token
from tests.fixtures.web import NOW, add_people, make_app, serve, sign_in
from webmap import Settings
from webmap.server import demo_links, listen

HOST = "https://maps.example"
PROXIED = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https", "Host": "maps.example"}


@pytest.fixture(scope="module")
def url(demo, tmp_path_factory):
    """A copy of the demo company with users."""
    file = tmp_path_factory.mktemp("doors") / "demo.sqlite"
    shutil.copy(demo.url.removeprefix("sqlite:///"), file)
    with open_store(f"sqlite:///{file}") as store:
        add_people(store)
    return f"sqlite:///{file}"


@pytest.fixture(scope="module")
def public(url, tmp_path_factory):
    """The app as a company serves it: under a name, behind one proxy that speaks TLS."""
    return make_app(
        url, tmp_path_factory.mktemp("var"), sign_in=True, rate_limits=False,
        now=lambda: NOW, hosts=("maps.example",), proxies=("127.0.0.1",),
    )  # fmt: skip


def test_behind_a_proxy_cookies_are_for_tls_alone(public):
    client = public.test_client()
    response = client.get("/sign-in", headers=PROXIED)
    assert response.status_code == 200
    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith("__Host-territory=")
    assert "Secure" in cookie
    assert response.headers["Strict-Transport-Security"].startswith("max-age=")


def test_a_password_opens_the_public_door_with_a_cookie_for_tls(public, url):
    with open_store(url) as store:
        link = one_time_links.make_link(
            store, "user-2", "sign_in", by="t", now=NOW, loopback_only=False
        )
    client = public.test_client()
    page = Page(client.get("/sign-in/link", headers=PROXIED, base_url=HOST))
    form = {"secret": link.secret, "csrf_token": field(page, "csrf_token")}
    headers = PROXIED | {"Origin": HOST, "Referer": f"{HOST}/sign-in/link"}
    answer = client.post("/sign-in/link", data=form, headers=headers, base_url=HOST)
    assert answer.status_code == 303
    session = next(c for c in answer.headers.getlist("Set-Cookie") if "-session=" in c)
    assert session.startswith("__Host-territory-session=")
    for flag in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert flag in session
    assert "Domain" not in session


def field(page: Page, name: str) -> str:
    return next(g["value"] for tag, g in page.tags if tag == "input" and g.get("name") == name)


def test_a_link_of_this_machine_does_not_open_through_a_proxy(public, url):
    with open_store(url) as store:
        link = one_time_links.make_link(store, "user-2", "sign_in", by="t", now=NOW)
    for told in (PROXIED, PROXIED | {"X-Forwarded-For": "127.0.0.1"}):
        client = public.test_client()
        page = Page(client.get("/sign-in/link", headers=told, base_url=HOST))
        form = {"secret": link.secret, "csrf_token": field(page, "csrf_token")}
        headers = told | {"Origin": HOST, "Referer": f"{HOST}/sign-in/link"}
        answer = client.post("/sign-in/link", data=form, headers=headers, base_url=HOST)
        assert answer.status_code == 401, told


@pytest.mark.parametrize(
    ("headers", "address", "words"),
    [
        (PROXIED | {"Host": "other.example"}, "127.0.0.1", "is not other.example"),
        (PROXIED | {"X-Forwarded-Proto": "http"}, "127.0.0.1", "without TLS"),
        ({"Host": "maps.example"}, "198.51.100.7", "without TLS"),
        ({"Host": "localhost"}, "198.51.100.7", "is not localhost"),
        (PROXIED | {"Host": "localhost"}, "127.0.0.1", "is not localhost"),
    ],
)
def test_the_public_door_answers_its_names_by_tls(public, headers, address, words):
    response = public.test_client().get(
        "/sign-in", headers=headers, environ_overrides={"REMOTE_ADDR": address}
    )
    assert response.status_code == 403
    assert words in Page(response).text


def test_no_hosts_without_sign_in():
    with pytest.raises(InputError, match="only with sign-in"):
        Settings(sign_in=False, hosts=("maps.example",))


def test_settings_of_the_doors_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("TERRITORY_HOSTS", "Maps.example, other.example")
    monkeypatch.setenv("TERRITORY_PROXIES", "127.0.0.1, 10.0.0.0/24")
    told = Settings.from_environment()
    assert told.hosts == ("maps.example", "other.example")
    assert told.proxies == ("127.0.0.1", "10.0.0.0/24")
    assert told.sign_in
    monkeypatch.setenv("TERRITORY_PROXIES", "1")
    with pytest.raises(InputError, match="TERRITORY_PROXIES"):
        Settings.from_environment()


def test_another_address_is_listened_on_once_hosts_are_named(monkeypatch):
    with pytest.raises(InputError, match="TERRITORY_HOSTS"):
        listen("0.0.0.0", 0)  # noqa: S104
    monkeypatch.setenv("TERRITORY_HOSTS", "maps.example")
    listen("0.0.0.0", 0).close()  # noqa: S104


@pytest.fixture
def limited(url, tmp_path):
    """The app that counts; it counts from nothing for each test."""
    return make_app(url, tmp_path, sign_in=True, now=lambda: NOW)


def test_whoever_knocks_too_often_waits(limited):
    client = limited.test_client()
    form = {"csrf_token": token(client, "/sign-in"), "login": "x@example.com", "password": "x"}
    told = [client.post("/sign-in/link", data=form).status_code for _ in range(21)]
    assert told[0] == 401
    assert told[-1] == 429
    assert client.get("/static/pages/app.css", buffered=True).status_code == 200


@pytest.mark.parametrize(
    ("path", "most"), [("/findings.csv", 30), ("/markets.csv", 30), ("/about?q=a", 120)]
)
def test_exports_and_searches_are_counted_by_person(limited, url, path, most):
    ops, viewer = sign_in(limited, "user-2"), sign_in(limited, "user-7")
    told = [ops.head(path, buffered=True).status_code for _ in range(most + 1)]
    assert told[-2:] == [200, 429]
    assert viewer.get("/offices").status_code == 200
    refused = ops.get(path)
    assert 0 < int(refused.headers["Retry-After"]) <= 60


def test_the_demo_gives_each_role_a_link_and_no_other_store_does(demo, tmp_path):
    file = tmp_path / "demo.sqlite"
    shutil.copy(demo.url.removeprefix("sqlite:///"), file)
    with open_store(f"sqlite:///{file}") as store:
        made = demo_links(store, "http://127.0.0.1:1/", now=NOW)
        again = demo_links(store, "http://127.0.0.1:1/", now=NOW)
    assert [name for name, _ in made] == [name for name, _ in again]
    assert len({link for _, link in made + again}) == 14
    with open_store(f"sqlite:///{tmp_path}/own.sqlite") as store:
        assert demo_links(store, "http://127.0.0.1:1/", now=NOW) == []
    told = CliRunner().invoke(cli, ["--store", f"sqlite:///{file}", "user", "list"])
    assert "7 users, 7 of them active" in told.output


@pytest.fixture(scope="module")
def address(doors):
    yield from serve(doors)


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
def test_a_browser_comes_in_by_a_link_looks_round_and_goes_out(doors, address, chromium):
    with open_store(doors.config["TERRITORY"].store_url) as store:
        link = one_time_links.make_link(
            store, doors.config["PEOPLE"]["rep_a"], "sign_in", by="t", now=NOW
        )
    page = chromium.new_page(base_url=address)
    problems = []
    page.on("console", lambda said: said.type != "info" and problems.append(said.text))
    page.goto("/offices")
    assert urlsplit(page.url).path == "/sign-in"
    page.goto(one_time_links.link_address(address, link))
    assert link.secret not in page.url
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Rep A").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Rep A"
    page.get_by_role("button", name="Sign out", exact=True).click()
    assert "You are signed out" in page.content()
    page.go_back()
    page.wait_for_url(re.compile("/sign-in"))
    assert problems == []
    page.close()


def test_a_program_over_the_wire_is_told_401_as_data(address):
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    connection.request("GET", "/overview.json")
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("Content-Type")) == (401, "application/json")
    connection.close()
