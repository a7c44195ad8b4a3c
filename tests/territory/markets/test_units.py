"""Units are understood by code and by name, and what is not understood is said at once."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory import reference
from territory.errors import InputError
from territory.markets.former_counties import FORMER_COUNTIES
from territory.markets.unit_lists import split_units
from territory.markets.units import known_units, likely_kinds, read_units

TABLES = reference.load()


def codes(kind: str, units: str, state: str | None = None) -> list[str]:
    markets = pd.DataFrame(
        [("m", kind, units, state)], columns=["market_id", "kind", "units", "state"]
    )
    return known_units(markets, TABLES)["code"].tolist()


@pytest.mark.parametrize(
    ("kind", "units", "expected"),
    [
        ("metro_area", "19740", ["19740"]),
        ("metro_area", "Denver-Aurora-Centennial, CO", ["19740"]),
        ("metro_area", "denver-aurora | 14500 | 19740", ["19740", "14500"]),
        ("metro_area", "Chicago-Naperville-Elgin, IL-IN; Columbus, OH", ["16980", "18140"]),
        ("metro_area", "Dallas-Fort Worth-Arlington, TX Metro Area, 16980", ["19100", "16980"]),
        ("metro_area", "Chicago, IL", ["16980"]),
        ("county", "17031", ["17031"]),
        ("county", "1001", ["01001"]),
        ("county", "cook county, il|Cook, IL", ["17031"]),
        ("county", "Orleans Parish, LA|Anchorage, AK", ["22071", "02020"]),
        ("county", "Baltimore County, MD|Baltimore city, MD", ["24005", "24510"]),
        ("county", "Cook County, IL, Lake County, IL", ["17031", "17097"]),
        ("county", "Cook County Illinois; IL - Lake; Will (Ill.)", ["17031", "17097", "17197"]),
        ("county", "LaSalle, IL|La Salle County, IL|Du Page, IL", ["17099", "17043"]),
        ("county", "Doña Ana County, NM|Dona Ana, NM", ["35013"]),
        ("county", "Prince Georges, MD|O'Brien, IA", ["24033", "19141"]),
        ("county", "King and Queen County, VA", ["51097"]),
        ("county", "City of Baltimore, MD, USA", ["24510"]),
        ("county", "0500000US17031|17031.0", ["17031"]),
        ("county", "17031, 17097 17043", ["17031", "17097", "17043"]),
        ("state", "IL|illinois|17", ["IL"]),
        ("state", "new york|1", ["NY", "AL"]),
        ("state", "IL, IN; Wis.", ["IL", "IN", "WI"]),
        ("state", "New York, NJ", ["NY", "NJ"]),
        ("zip_code", "60601|60602-1234|1001", ["60601", "60602", "01001"]),
        ("zip_code", "60601 60602, 60603/60604", ["60601", "60602", "60603", "60604"]),
        ("zip_code", "60201 to 60203", ["60201", "60202", "60203"]),
        ("zip_code", "60201–60203", ["60201", "60202", "60203"]),
        ("zip_code", '="02110"|MA-02110|ZIP 02108', ["02110", "02108"]),
        ("zip_code", "{60601,60602}", ["60601", "60602"]),
        ("zip_code", '["60601", "60602"]', ["60601", "60602"]),
    ],
)  # fmt: skip
def test_a_unit_is_known_by_code_and_by_name(kind: str, units: str, expected: list[str]) -> None:
    assert codes(kind, units) == expected


@pytest.mark.parametrize("written", ["602", "602*", "602xx", "602XX", "602**", "602-xx", "602-602"])
def test_what_zip_codes_begin_with_stands_for_all_of_them(written: str) -> None:
    zips = TABLES.zip_codes["zip_code"]
    assert codes("zip_code", written) == zips[zips.str.startswith("602")].tolist()


def test_a_state_beside_the_units_is_theirs() -> None:
    assert codes("county", "St. Clair", "IL") == ["17163"]
    assert codes("county", "031", "Illinois") == ["17031"]
    assert codes("county", "Cook County, MN", "IL") == ["27031"]
    assert codes("zip_code", "601", "PR") == ["00601"]
    assert codes("zip_code", "606", "IL")[0] == "60601"


def test_three_digits_among_codes_that_lost_their_zeros_are_asked_about() -> None:
    with pytest.raises(InputError, match="three digits: a prefix, or lost zeros"):
        codes("zip_code", "1001|601")


def test_units_stay_with_their_market() -> None:
    markets = pd.DataFrame(
        [("a", "state", "CO"), ("b", "polygon", None), ("c", "county", "17031|17043")],
        columns=["market_id", "kind", "units"],
    )
    assert known_units(markets, TABLES).to_dict("list") == {
        "market": [0, 2, 2],
        "kind": ["state", "county", "county"],
        "code": ["CO", "17031", "17043"],
    }


def test_every_unknown_unit_is_named_with_what_may_be_meant() -> None:
    markets = pd.DataFrame(
        [
            ("a", "metro_area", "Denvr-Aurora|99999|19740"),
            ("b", "county", "Foo, IL|60601"),
            ("c", "zip_code", "00000|17031"),
            ("d", "state", " | "),
            ("e", "state", "Columbia"),
            ("f", "county", "Baltimore, MD|Cook"),
        ],
        columns=["market_id", "kind", "units"],
    )
    faults = read_units(markets, TABLES).faults
    assert faults["market"].tolist() == [0, 1, 2, 3, 4, 5]
    reasons = dict(zip("abcdef", faults["reason"], strict=True))
    assert "'Denvr-Aurora' (perhaps 19740 Denver-Aurora-Centennial, CO" in reasons["a"]
    assert "'99999'" in reasons["a"]
    assert "'Foo, IL'" in reasons["b"]
    assert "'60601' is no county but the ZIP code Chicago, IL" in reasons["b"]
    assert "'17031' is no ZIP code but the county Cook County, IL" in reasons["c"]
    assert reasons["d"] == "no units"
    assert "'Columbia' (perhaps DC District of Columbia)" in reasons["e"]
    assert "may be 24005 Baltimore County, MD or 24510 Baltimore city, MD" in reasons["f"]
    assert 'Add the state: "Cook County, GA"' in faults["remedy"].iloc[5]
    whole = " ".join(faults["reason"] + faults["remedy"])
    assert "(" not in whole.replace("(perhaps", "")  # no call of a function


@pytest.mark.parametrize("code", sorted(FORMER_COUNTIES))
def test_a_county_that_is_none_now_is_refused_with_its_successors(code: str) -> None:
    former = FORMER_COUNTIES[code]
    assert set(former.successors) <= set(TABLES.counties["county_fips"])
    for written in (code, code.lstrip("0"), former.name):
        with pytest.raises(InputError) as caught:
            codes("county", written)
        for successor in former.successors:
            assert successor in str(caught.value)


def test_a_name_that_several_units_begin_with_is_refused_with_its_candidates() -> None:
    with pytest.raises(InputError, match=r"'Columbus' \(perhaps .*Columbus, GA-AL"):
        codes("metro_area", "Columbus")


def test_a_long_list_of_unknown_units_is_counted_beyond_twenty() -> None:
    with pytest.raises(InputError, match=r"'00019'; and 5 more"):
        codes("zip_code", "|".join(f"{number:05}" for number in range(25)))


def test_what_units_look_like_says_their_kind() -> None:
    cells = ["60601-60610", "17031", "16980", "IL", "Cook County, IL", "606*", "nothing"]
    none = pd.Series([None] * len(cells), dtype=object)
    kinds = likely_kinds(pd.Series(cells, dtype=object), none, TABLES)
    assert kinds == [
        ("zip_code",), ("county",), ("metro_area",), ("state",), ("county",), ("zip_code",), (),
    ]  # fmt: skip
    column = pd.Series(["60601", "60602", "60603", "60604", "6o605"], dtype=object)
    assert likely_kinds(column, none.head(5), TABLES) == [("zip_code",)] * 5


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(TABLES.counties.index.tolist()), min_size=1, max_size=5))
def test_a_list_of_county_names_is_read_back_whatever_parts_it(rows: list[int]) -> None:
    counties = TABLES.counties.loc[rows]
    names = (counties["name"] + ", " + counties["state_code"]).tolist()
    expected = list(dict.fromkeys(counties["county_fips"]))
    for between in (", ", "; ", "|", "\n"):
        assert codes("county", between.join(names)) == expected


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=40), st.sampled_from(["zip_code", "county", "metro_area", "state"]))
def test_any_text_is_read_or_refused(text: str, kind: str) -> None:
    row = pd.DataFrame({"market_id": ["m"], "kind": [kind], "units": [text]})
    units = read_units(row, TABLES)
    assert len(units.members) or len(units.faults)
    assert split_units(text, kind) == split_units("|".join(split_units(text, kind)), kind)
