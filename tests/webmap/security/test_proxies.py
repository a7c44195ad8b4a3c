"""Named proxies: nothing that another peer says of itself is believed."""

import pytest

from webmap.security.proxies import MARK, NamedProxies


def seen(proxies, peer, **headers):
    """Give what the app sees of a request: address, scheme and what is known of the proxy."""
    told = {}

    def app(environ, _start):
        told.update(environ)
        return []

    variables = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    NamedProxies(app, proxies)({"REMOTE_ADDR": peer, "wsgi.url_scheme": "http"} | variables, None)
    return told["REMOTE_ADDR"], told["wsgi.url_scheme"], told.get(MARK)


def test_the_last_address_that_is_no_proxy_is_who_asks():
    said = {"x_forwarded_for": "127.0.0.1, 6.6.6.6, 198.51.100.7, 10.0.0.9"}
    found = seen(["127.0.0.1", "10.0.0.0/24"], "127.0.0.1", x_forwarded_proto="https", **said)
    assert found == ("198.51.100.7", "https", "named")


def test_of_what_the_client_wrote_of_the_scheme_the_proxys_word_counts():
    said = {"x_forwarded_for": "198.51.100.7", "x_forwarded_proto": "https, http"}
    assert seen(["127.0.0.1"], "127.0.0.1", **said)[1] == "http"


@pytest.mark.parametrize(
    "header",
    ["forwarded", "x_forwarded_for", "x_forwarded_proto", "x_forwarded_host",
     "x_forwarded_prefix", "x_script_name", "x_real_ip"],
)  # fmt: skip
def test_another_peer_that_says_it_is_a_proxy_is_marked_and_not_believed(header):
    found = seen(["10.0.0.0/24"], "127.0.0.1", **{header: "198.51.100.7"})
    assert found == ("127.0.0.1", "http", "unknown")


def test_a_proxy_that_does_not_say_who_asks_is_not_believed():
    assert seen(["127.0.0.1"], "127.0.0.1", x_forwarded_proto="https") == (
        "127.0.0.1", "http", "unknown",
    )  # fmt: skip


def test_without_such_headers_nothing_is_marked():
    assert seen(["127.0.0.1"], "127.0.0.1") == ("127.0.0.1", "http", None)
