"""Asking a real server over HTTP: what it says is read, what it fails to say is never a "none"."""

from __future__ import annotations

import logging
import socket
import time
from typing import TYPE_CHECKING

import pytest
from geopy.geocoders import SERVICE_TO_GEOCODER

from territory.errors import PolicyError
from territory.geocoding.online import FOUND, NONE, SEVERAL, AddressQuery, Provider
from territory.policy import OnlinePolicy, ProviderPolicy
from tests.fixtures.geocoder_server import Geocoder, Handler, geocoder, nominatim, photon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LINE = "1 Elm St, Boise, ID 83702, United States"
QUESTION = AddressQuery("1 elm st,boise,id,83702,us", LINE, "US", has_street=True)
COUNTRIES = {"US": "USA"}


@pytest.fixture
def server() -> Iterator[Geocoder]:
    with geocoder() as running:
        yield running


def asker(server: Geocoder, name: str = "nominatim", **other: object) -> Provider:
    quick = {"min_delay_s": 0, "retry_wait_s": 0, "retries": 0, "timeout_s": 0.5}
    told = {"domain": server.domain, "scheme": "http", **quick, **other}
    policy = ProviderPolicy(name=name, **told)  # type: ignore[arg-type]
    online = OnlinePolicy(providers=(policy,), contact="ops@example.com")
    return Provider(policy, online, COUNTRIES)


def replies(body: object, status: int = 200, **headers: str) -> Callable[[Handler], None]:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.reply(body, status, told)


def test_a_house_is_found_with_what_nominatim_says_of_it(server: Geocoder) -> None:
    server.known[LINE] = [nominatim(-116.2, 43.6, address={"house_number": "1"})]
    with asker(server) as one:
        answer = one.ask(QUESTION, 5)
    assert (answer.answer, answer.lon, answer.lat) == (FOUND, -116.2, 43.6)
    assert (answer.precision, answer.uncertainty_m, answer.address) == ("rooftop", 100, "A house")
    assert (answer.provider, answer.query) == ("nominatim", QUESTION.query)
    assert server.asked[0]["countrycodes"] == "us"
    assert server.agents == ["territory-mapper/0.1.0 (ops@example.com)"]


def test_photon_is_asked_and_read_too(server: Geocoder) -> None:
    server.known[LINE] = [photon(-116.2, 43.6, housenumber="1", street="Elm St")]
    with asker(server, "photon") as one:
        answer = one.ask(QUESTION, 5)
    assert (answer.answer, answer.precision, answer.lon) == (FOUND, "rooftop", -116.2)
    assert answer.match_score is None


@pytest.mark.parametrize("name", ["nominatim", "photon"])
def test_a_real_none_is_a_none(server: Geocoder, name: str) -> None:
    with asker(server, name) as one:
        assert one.ask(QUESTION, 5).answer == NONE


def test_places_far_apart_that_fit_alike_are_several(server: Geocoder) -> None:
    house = {"address": {"house_number": "1"}}
    server.known[LINE] = [nominatim(-116.2, 43.6, **house), nominatim(-93.6, 41.6, **house)]
    with asker(server) as one:
        assert one.ask(QUESTION, 5).answer == SEVERAL
        server.known[LINE][1] = nominatim(-93.6, 41.6, place_rank=16, type="city")
        assert one.ask(QUESTION, 5).answer == FOUND  # coarser than the first: no rival
        server.known[LINE][1] = nominatim(-116.2003, 43.6, **house)
        assert one.ask(QUESTION, 5).answer == FOUND  # the same place twice


BROKEN = {
    "a page of HTML": ("<html>Sign in to the Wi-Fi</html>", "unreadable"),
    "no body": ("", "unreadable"),
    "half an answer": ('[{"lat": "43.6", "lon', "unreadable"),
    "null": ("null", "unreadable"),
    "an empty object": ("{}", "unreadable"),
    "a number": ("0", "unreadable"),
    "another shape": ('{"places": []}', "unreadable"),
    "a result without a point": ('[{"display_name": "x"}]', "unreadable"),
    "a result without a name": ('[{"lat": "1", "lon": "2"}]', "unreadable"),
    "words for degrees": ('[{"lat": "north", "lon": "west", "display_name": "x"}]', "unreadable"),
    "a point off the globe": ('[{"lat": "98", "lon": "2", "display_name": "x"}]', "unreadable"),
    "a point at 0, 0": ('[{"lat": "0", "lon": "0", "display_name": "x"}]', "unreadable"),
    "not a number": ('[{"lat": "nan", "lon": "2", "display_name": "x"}]', "unreadable"),
    "brackets without end": ("[" * 200_000, "unreadable"),
    "an answer without end": ("[" + " " * 5_000_000 + "]", "unreadable"),
    "an error": ('{"error": "bad query"}', "refused"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_garbage_is_never_a_none(server: Geocoder, name: str) -> None:
    body, told = BROKEN[name]
    server.behave = replies(body)
    with asker(server, timeout_s=5) as one:
        assert one.ask(QUESTION, 5).answer == told


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (400, "refused"), (401, "denied"), (402, "quota"), (403, "denied"), (404, "unavailable"),
        (408, "timed_out"), (418, "unavailable"), (429, "too_fast"), (500, "unavailable"),
        (502, "unavailable"), (503, "timed_out"), (504, "timed_out"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["nominatim", "photon"])
def test_an_error_status_is_never_a_none(
    server: Geocoder, name: str, status: int, told: str
) -> None:
    server.behave = replies([], status)
    with asker(server, name) as one:
        assert one.ask(QUESTION, 5).answer == told


def stall(handler: Handler) -> None:
    time.sleep(0.6)


def drip(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(12):
        handler.wfile.write(b" ")
        time.sleep(0.05)


def hang_up(handler: Handler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


@pytest.mark.parametrize(
    ("behaviour", "told"), [(stall, "timed_out"), (drip, "timed_out"), (hang_up, "unavailable")]
)
def test_a_server_that_does_not_answer_in_time_is_left(
    server: Geocoder, behaviour: Callable[[Handler], None], told: str
) -> None:
    server.behave = behaviour
    with asker(server, timeout_s=0.2) as one:
        assert one.ask(QUESTION, 5).answer == told


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with geocoder() as server:
        pass
    with asker(server) as one:
        assert one.ask(QUESTION, 5).answer == "unavailable"


def fails_first(times: int, status: int, **headers: str) -> Callable[[Handler], None]:
    fail = replies("busy", status, **headers)

    def behave(handler: Handler) -> None:
        server = handler.server
        (fail if len(server.asked) <= times else server.answer)(handler)

    return behave


def test_what_may_pass_is_tried_again_and_counted(server: Geocoder) -> None:
    server.behave = fails_first(2, 500)
    with asker(server, retries=2) as one:
        assert one.ask(QUESTION, 5).answer == NONE
        assert (one.sent, len(server.asked), one.given_up) == (3, 3, None)


def test_no_more_requests_are_sent_than_allowed(server: Geocoder) -> None:
    server.behave = replies("busy", 500)
    with asker(server, retries=9) as one:
        assert one.ask(QUESTION, 2).answer == "unavailable"
        assert len(server.asked) == one.sent == 2


@pytest.mark.parametrize("status", [400, 401, 402, 403])
def test_what_will_not_pass_is_not_tried_again(server: Geocoder, status: int) -> None:
    server.behave = replies("no", status)
    with asker(server, retries=5) as one:
        one.ask(QUESTION, 9)
    assert len(server.asked) == 1


def test_a_provider_that_asks_for_a_pause_gets_it(server: Geocoder) -> None:
    server.behave = fails_first(1, 429, Retry_After="1")
    with asker(server, retries=1) as one:
        assert one.ask(QUESTION, 5).answer == NONE
    assert server.times[1] - server.times[0] >= 0.99


def test_a_provider_that_asks_for_a_long_pause_is_left_alone(server: Geocoder) -> None:
    server.behave = replies("busy", 429, Retry_After="3600")
    with asker(server, retries=5) as one:
        assert one.ask(QUESTION, 5).answer == "too_fast"
        assert one.ask(QUESTION, 5).answer == "too_fast"
    assert len(server.asked) == 1


def test_a_provider_that_keeps_failing_is_left_alone_and_says_why(server: Geocoder) -> None:
    server.behave = replies("down", 500)
    with asker(server) as one:
        answers = [one.ask(QUESTION, 5).answer for _ in range(5)]
        assert one.given_up == "unavailable"
    assert answers == ["unavailable"] * 5
    assert len(server.asked) == OnlinePolicy().give_up_after


def test_an_answer_in_between_ends_the_row_of_failures(server: Geocoder) -> None:
    server.behave = lambda handler: replies([], 200 if len(server.asked) % 3 == 0 else 500)(handler)
    with asker(server) as one:
        for _ in range(9):
            one.ask(QUESTION, 5)
        assert one.given_up is None
    assert len(server.asked) == 9


def test_questions_keep_their_distance_in_time(server: Geocoder) -> None:
    with asker(server, min_delay_s=0.15) as one:
        for _ in range(3):
            one.ask(QUESTION, 5)
    first, second, third = server.times  # the least is the rule; how much more is the machine's
    assert min(second - first, third - second) > 0.15 - 0.05


def test_a_key_comes_from_the_environment_and_is_shown_nowhere(
    server: Geocoder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OUR_KEY", "s3cret")
    caplog.set_level(logging.INFO)
    server.behave = replies({"status": "OVER_QUERY_LIMIT", "error_message": "s3cret is used up"})
    with asker(server, "googlev3", keys=(("api_key", "OUR_KEY"),)) as one:
        answer = one.ask(QUESTION, 5)
    assert server.asked[0]["key"] == "s3cret"
    assert server.asked[0]["components"] == "country:US"
    assert (answer.answer, one.given_up) == ("quota", "quota")
    assert "s3cret" not in f"{answer} {caplog.text}"


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        (ProviderPolicy(name="nomnom"), "no geocoder 'nomnom'"),
        (ProviderPolicy(name="bing", keys=(("api_key", "NOT_SET"),)), "needs NOT_SET"),
        (ProviderPolicy(name="bing"), "api_key"),
        (ProviderPolicy(name="photon", keys=(("token", "HOME"),)), "does not take token"),
    ],
)
def test_a_provider_that_cannot_be_set_up_is_refused_before_anybody_is_asked(
    policy: ProviderPolicy, told: str
) -> None:
    with pytest.raises(PolicyError, match=told):
        Provider(policy, OnlinePolicy(), COUNTRIES)


@pytest.mark.parametrize("name", sorted(SERVICE_TO_GEOCODER))
def test_every_geocoder_of_geopy_can_be_set_up_by_its_name(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUR_KEY", "a2V5")
    needs = {
        "azure": ["subscription_key"], "here": ["apikey"], "herev7": ["apikey"],
        "geonames": ["username"], "liveaddress": ["auth_id", "auth_token"],
    }  # fmt: skip
    free = ("arcgis", "banfrance", "databc", "ignfrance", "nominatim", "pelias", "photon")
    arguments = needs.get(name, [] if name in free else ["api_key"])
    policy = ProviderPolicy(
        name=name,
        keys=tuple((argument, "OUR_KEY") for argument in arguments),
        domain="geo.example.com" if name == "pelias" else "",
    )
    with Provider(policy, OnlinePolicy(), COUNTRIES) as one:
        assert one.name == name
