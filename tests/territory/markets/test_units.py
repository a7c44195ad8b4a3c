"""Units are understood by code and by name, and what is not understood is told at once."""

from __future__ import annotations

import pandas as pd
import pytest

from territory import reference
from territory.errors import InputError
from territory.markets.units import read_units


def codes(kind: str, units: str) -> list[str]:
    markets = pd.DataFrame([("m", kind, units)], columns=["market_id", "kind", "units"])
    return read_units(markets, reference.load())["code"].tolist()


@pytest.mark.parametrize(
    ("kind", "units", "expected"),
    [
        ("metro_area", "19740", ["19740"]),
        ("metro_area", "Denver-Aurora-Centennial, CO", ["19740"]),
        ("metro_area", "denver-aurora | 14500 | 19740", ["19740", "14500"]),
        ("county", "17031", ["17031"]),
        ("county", "1001", ["01001"]),
        ("county", "cook county, il|Cook, IL", ["17031"]),
        ("county", "Orleans Parish, LA|Anchorage, AK", ["22071", "02020"]),
        ("county", "Baltimore County, MD|Baltimore city, MD", ["24005", "24510"]),
        ("state", "IL|illinois|17", ["IL"]),
        ("state", "new york|1", ["NY", "AL"]),
        ("zip_code", "60601|60602-1234|1001", ["60601", "60602", "01001"]),
    ],
)
def test_a_unit_is_known_by_code_and_by_name(kind: str, units: str, expected: list[str]) -> None:
    assert codes(kind, units) == expected


def test_units_stay_with_their_market() -> None:
    markets = pd.DataFrame(
        [("a", "state", "CO"), ("b", "polygon", None), ("c", "county", "17031|17043")],
        columns=["market_id", "kind", "units"],
    )
    units = read_units(markets, reference.load())
    assert units.to_dict("list") == {
        "market": [0, 2, 2],
        "kind": ["state", "county", "county"],
        "code": ["CO", "17031", "17043"],
    }


def test_every_unknown_unit_is_named_with_what_may_be_meant() -> None:
    markets = pd.DataFrame(
        [
            ("a", "metro_area", "Denvr-Aurora|99999|19740"),
            ("b", "county", "Foo, IL"),
            ("c", "zip_code", "00000"),
            ("d", "state", " | "),
            ("e", "state", "Columbia"),
        ],
        columns=["market_id", "kind", "units"],
    )
    with pytest.raises(InputError) as caught:
        read_units(markets, reference.load())
    told = str(caught.value)
    assert "'Denvr-Aurora' of market 'a' (perhaps 19740 Denver-Aurora-Centennial, CO)" in told
    assert "'99999' of market 'a'" in told
    assert "'Foo, IL' of market 'b'" in told
    assert "'00000' of market 'c'" in told
    assert "market 'd' has no units" in told
    assert "'Columbia' of market 'e'" in told
    assert "all 935 are in territory.reference.load().metro_areas" in told


def test_a_name_that_several_units_begin_with_is_refused_with_its_candidates() -> None:
    with pytest.raises(InputError, match=r"'Columbus' of market 'm' \(perhaps .*Columbus, GA-AL"):
        codes("metro_area", "Columbus")


def test_a_long_list_of_unknown_units_is_counted_beyond_twenty() -> None:
    with pytest.raises(InputError, match=r"'00019' of market 'm' and 5 more"):
        codes("zip_code", "|".join(f"{number:05}" for number in range(25)))
