"""Numbers, units and words as pages write them."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from territory import labels
from territory.plans.findings import CODES
from territory.policy import RULES, SEGMENTS
from territory.prospects.fields import ORDERS
from territory.schemas import MARKET_KINDS, PRECISIONS, SEVERITIES, STATUSES, UNASSIGNED, VERDICTS
from territory.units_of_length import METRES_PER_MILE
from webmap import formatting
from webmap.prospects.facets import order_words

LIMIT_M = 50 * METRES_PER_MILE


def test_every_stored_code_has_its_words():
    assert set(labels.STATUS) == set(STATUSES)
    assert set(labels.SEGMENT) == set(SEGMENTS)
    assert set(formatting.PRECISION) == set(PRECISIONS)
    assert set(labels.RULE) == {*RULES, UNASSIGNED}
    assert set(formatting.KIND) == set(MARKET_KINDS)
    assert set(formatting.SEVERITY_TAG) == set(SEVERITIES)
    assert set(formatting.VERDICT_TAG) == {*VERDICTS, None}
    assert set(formatting.FINDING) == set(CODES)
    assert all(order_words(sign + sort) for sort in ORDERS for sign in ("", "-"))


@pytest.mark.parametrize(
    ("value", "shown"), [(23871, "23,871"), (-122, "−122"), (0, "0"), (None, "–"), (np.nan, "–")]
)
def test_a_number_has_separators_and_a_true_minus(value, shown):
    assert labels.number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (22.34, "22.3 mi"),
        (49.96, "49.96 mi"),
        (50, "50.0 mi"),
        (50.0004, "50.0004 mi"),
        (None, "–"),
    ],
)
def test_a_distance_never_reads_on_the_wrong_side_of_the_limit(value, shown):
    assert formatting.miles(value, LIMIT_M).replace("\xa0", " ") == shown


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [(940, 1000, "94 %"), (999, 1000, "99 %"), (4, 1000, "0.4 %"), (1, 5000, ""), (0, 9, "0 %"),
     (5, 0, "–"), (9, 9, "100 %")],
)  # fmt: skip
def test_a_share_never_claims_all_or_nothing_that_is_not_so(part, whole, shown):
    assert labels.share(part, whole).replace("\xa0", " ") == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(117.4e9, "$117.4 bn"), (41.6e6, "$41.6 M"), (640_000, "$640 k"), (950, "$950"),
     (-2e6, "−$2.0 M"), (999_999, "$1.0 M"), (None, "–")],
)  # fmt: skip
def test_money_is_written_at_its_size(value, shown):
    assert labels.money(value).replace("\xa0", " ") == shown


@pytest.mark.parametrize(
    ("day", "shown"),
    [("2026-07-01", "Jul 1, 2026 (145 days ago)"), ("2026-11-22", "Nov 22, 2026 (yesterday)"),
     ("2026-11-30", "Nov 30, 2026 (in 7 days)"), (dt.date(2026, 11, 23), "Nov 23, 2026 (today)"),
     (None, "–")],
)  # fmt: skip
def test_a_day_says_how_far_it_is(app, day, shown):
    with app.app_context():
        assert formatting.day(day) == shown


@pytest.mark.parametrize(
    ("text", "address"),
    [("acme.com", "https://acme.com"), ("http://acme.com", "http://acme.com"),
     ("javascript:alert(1)", None), ("javascript://x%0aalert(1)", None), ("data://x", None)],
)  # fmt: skip
def test_only_web_addresses_become_links(text, address):
    assert formatting.web_address(text) == address


RENO = "39.52960,-119.81380"


@pytest.mark.parametrize(
    ("changes", "address", "geo"),
    [
        ({}, "1 Main St, Reno, NV 89501", f"geo:{RENO}?q=1%20Main%20St,%20Reno,%20NV%2089501"),
        ({"street": None}, "Reno, NV 89501", f"geo:{RENO}?q={RENO}"),
        ({"lat": None, "street": None}, "Reno, NV 89501", "geo:0,0?q=Reno,%20NV%2089501"),
        (
            {"street": 'a"&?#<b>', "city": None, "state": None, "postal_code": None},
            'a"&?#<b>',
            f"geo:{RENO}?q=a%22%26%3F%23%3Cb%3E",
        ),
        ({"country": "MX"}, "1 Main St, Reno, NV 89501, MX",
         f"geo:{RENO}?q=1%20Main%20St,%20Reno,%20NV%2089501,%20MX"),
    ],
)  # fmt: skip
def test_an_address_is_written_in_a_line_and_as_a_question_to_a_map_program(
    changes, address, geo
) -> None:
    place = {
        "street": "1 Main St", "city": "Reno", "state": "NV", "postal_code": "89501",
        "country": "US", "lat": 39.5296, "lon": -119.8138, **changes,
    }  # fmt: skip
    assert formatting.postal_address(place) == address
    assert formatting.geo_address(place) == geo


@pytest.mark.parametrize(
    ("zone", "shown"),
    [("America/Denver", "Nov 22, 2026, 9:05 PM MST"), ("Asia/Tokyo", "Nov 23, 2026, 1:05 PM JST"),
     ("America/New_York", "Nov 22, 2026, 11:05 PM EST"), (None, "Nov 23, 2026, 4:05 AM UTC"),
     ("../../etc/passwd", "Nov 23, 2026, 4:05 AM UTC"), ("x" * 9000, "Nov 23, 2026, 4:05 AM UTC"),
     ("", "Nov 23, 2026, 4:05 AM UTC")],
)  # fmt: skip
def test_a_moment_is_written_in_the_time_zone_of_who_reads_it(app, zone, shown):
    headers = {} if zone is None else {"Cookie": f"time_zone={zone}"}
    with app.test_request_context("/", headers=headers):
        assert formatting.moment("2026-11-23T04:05:00Z").startswith(f"{shown} (")
