"""No row is lost: each is taken or refused, with its line, the reason and the remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory.errors import ColumnError, InputError
from territory.files import read_table
from territory.imports import headers, read_rows
from territory.schemas import PROSPECTS, check

if TYPE_CHECKING:
    from pathlib import Path

    from territory.imports.rows import ContractRows


def prospects(**columns: list[str | None]) -> pd.DataFrame:
    size = len(next(iter(columns.values())))
    filler: dict[str, list[str | None]] = {"name": [f"Company {n}" for n in range(size)]}
    return pd.DataFrame(filler | columns, dtype=object)


def reasons(taken: ContractRows) -> dict[int, str]:
    return dict(zip(taken.refused["line"], taken.refused["reason"], strict=True))


def notes(taken: ContractRows) -> dict[int, str]:
    return dict(zip(taken.notes["line"], taken.notes["note"], strict=True))


SALESFORCE = [
    "Id",
    "Name",
    "Type",
    "BillingStreet",
    "BillingCity",
    "BillingState",
    "BillingPostalCode",
    "BillingCountry",
    "BillingLatitude",
    "BillingLongitude",
    "Website",
    "Industry",
    "NumberOfEmployees",
    "AnnualRevenue",
    "ParentId",
    "OwnerId",
]
HUBSPOT = [
    "Record ID", "Company name", "Lifecycle Stage", "Street Address", "City", "State/Region",
    "Postal Code", "Country/Region", "Website URL", "Industry", "Number of Employees",
    "Annual Revenue", "Parent Company ID", "Company owner",
]  # fmt: skip
HIFLD = [
    "NAME",
    "ADDRESS",
    "CITY",
    "STATE",
    "ZIP",
    "LATITUDE",
    "LONGITUDE",
    "EMPLOYEES",
    "REVENUES",
    "WEBSITE",
]
IPEDS = ["UNITID", "INSTNM", "ADDR", "CITY", "STABBR", "ZIP", "LONGITUD", "LATITUDE", "WEBADDR"]


@pytest.mark.parametrize(
    ("columns", "without"),
    [
        (list(PROSPECTS.columns), set()),
        (SALESFORCE, set()),
        (HUBSPOT, {"lat", "lon"}),
        (HIFLD, {"prospect_id", "status", "country", "industry", "parent_id", "owner_rep_id"}),
        (
            IPEDS,
            {"status", "country", "industry", "employees", "revenue_usd", "parent_id",
             "owner_rep_id"},
        ),
    ],
    ids=["plain", "salesforce", "hubspot", "hifld", "ipeds"],
)  # fmt: skip
def test_the_headers_of_common_exports_are_all_understood(
    columns: list[str], without: set[str]
) -> None:
    mapping = headers.map_headers(columns, "prospects")
    assert list(mapping) == columns
    assert set(mapping.values()) == set(PROSPECTS.columns) - without


def test_every_contract_has_headers_and_knows_its_own_column_names() -> None:
    assert set(headers.KINDS) == set(headers.CONTRACTS)
    for kind, contract in headers.CONTRACTS.items():
        assert headers.map_headers(contract.columns, kind) == {n: n for n in contract.columns}


def test_a_column_is_taken_once_and_the_rest_is_reported() -> None:
    taken = read_rows(
        "prospects", prospects(zip=["80202"], **{"Postal Code": ["1"], "Rank": ["9"]})
    )
    assert taken.mapping == {"name": "name", "Postal Code": "postal_code"}
    assert taken.ignored == ("zip", "Rank")


@pytest.mark.parametrize(
    ("header", "scale"),
    [("Revenue (USD millions)", 1e6), ("revenue in billions", 1e9), ("Revenue ($M)", 1e6),
     ("Annual Revenue", 1), ("Revenue (USD)", 1)],
)  # fmt: skip
def test_revenue_is_read_in_the_unit_that_its_header_says(header: str, scale: float) -> None:
    taken = read_rows("prospects", prospects(**{header: ["1,234"]}))
    assert taken.rows["revenue_usd"].tolist() == [1234 * scale]


def test_a_mapping_of_ones_own_is_followed() -> None:
    table = pd.DataFrame({"Firma": ["A"], "Ort": ["Bonn"], "name": ["x"]})
    taken = read_rows("prospects", table, {"Firma": "name", "Ort": "city"})
    assert taken.rows[["name", "city"]].to_numpy().tolist() == [["A", "Bonn"]]


def test_a_mapping_that_does_not_fit_is_refused_with_all_that_is_wrong() -> None:
    mapping = {"Nme": "name", "a": "colour", "b": "city", "c": "city"}
    with pytest.raises(ColumnError) as caught:
        read_rows("prospects", pd.DataFrame({"a": ["1"], "b": ["2"], "c": ["3"]}), mapping)
    for told in ("no column 'Nme'", "no column 'colour'", "'city' is mapped 2 times"):
        assert told in str(caught.value)


def test_a_file_without_a_column_that_is_needed_is_refused() -> None:
    with pytest.raises(ColumnError, match="needs 'name'; this one has 'colour'"):
        read_rows("prospects", pd.DataFrame({"colour": ["red"]}))
    with pytest.raises(InputError, match="no kind 'plants'"):
        read_rows("plants", pd.DataFrame({"name": ["fern"]}))


def test_a_row_without_a_name_is_refused_and_what_calls_itself_na_is_not() -> None:
    taken = read_rows("prospects", prospects(name=["A", " ", None, "NA", "NOT AVAILABLE"]))
    assert taken.rows["name"].tolist() == ["A", "NA"]
    assert reasons(taken) == {3: "a blank line", 4: "a blank line", 6: "no name"}
    assert taken.refused["remedy"].tolist()[-1] == "Fill in name."


def test_the_second_row_of_an_id_is_refused_and_names_the_first() -> None:
    taken = read_rows("prospects", prospects(id=["7", "8", " 7 ", "7"]))
    assert taken.rows["prospect_id"].tolist() == ["7", "8"]
    assert reasons(taken) == {
        4: "prospect_id '7' is on line 2 already",
        5: "prospect_id '7' is on line 2 already",
    }
    assert taken.refused["bucket"].unique().tolist() == ["duplicate"]


def test_a_row_refused_for_something_else_does_not_take_its_id() -> None:
    taken = read_rows("prospects", prospects(id=["7", "7"], name=[None, "B"]))
    assert taken.rows["name"].tolist() == ["B"]


def test_rows_without_an_id_get_one_that_stays_whatever_the_case_and_blanks() -> None:
    once = read_rows("prospects", prospects(name=["Acme Inc."], city=["Denver"], zip=["1001"]))
    again = read_rows("prospects", prospects(name=["ACME  Inc"], city=["denver "], zip=["01001"]))
    other = read_rows("prospects", prospects(name=["Acme Inc."], city=["Boulder"], zip=["1001"]))
    assert once.rows["prospect_id"].tolist() == again.rows["prospect_id"].tolist()
    assert once.rows["prospect_id"].tolist() != other.rows["prospect_id"].tolist()


def test_the_same_name_and_address_twice_is_a_duplicate() -> None:
    taken = read_rows("prospects", prospects(name=["A", "a"], city=["Denver", "Denver"]))
    assert reasons(taken) == {3: "the same name and address as line 2"}


def test_addresses_come_out_in_one_form() -> None:
    taken = read_rows(
        "prospects",
        prospects(
            state=["massachusetts", "ON", "Bayern", "PR", None],
            zip=["1001", "m5v2t6", "80331", "901", "5000-1"],
            country=[None, None, "Deutschland", "Puerto Rico", "Freedonia"],
        ),
    )
    columns = ["state", "postal_code", "country"]
    assert taken.rows[columns].to_numpy().tolist() == [
        ["MA", "01001", "US"],
        ["ON", "M5V 2T6", "CA"],
        ["Bayern", "80331", "DE"],
        ["PR", "00901", "US"],
        [None, "5000-1", "Freedonia"],
    ]
    assert notes(taken) == {
        2: "ZIP '1001' was read as 01001: the state is MA",
        5: "ZIP '901' was read as 00901: the state is PR",
        6: "country 'Freedonia' is unknown",
    }


def test_coordinates_nobody_knew_count_as_not_given() -> None:
    taken = read_rows(
        "prospects", prospects(lat=["0", "38.9", "x", "1"], lon=["0.0", "", "-77", "1"])
    )
    assert taken.rows["lat"].isna().tolist() == [True, True, True, False]
    assert taken.rows["lon"].isna().tolist() == [True, True, True, False]
    told = taken.notes.groupby("line")["note"].agg("; ".join).to_dict()
    assert told == {
        2: "coordinates 0, 0 mean that nobody knew: not used",
        3: "one of lat and lon is missing: neither was used",
        4: "lat 'x' was not recognized; one of lat and lon is missing: neither was used",
    }


def test_coordinates_that_are_swapped_or_lost_their_sign_stay_to_be_told_as_a_conflict() -> None:
    taken = read_rows(
        "prospects",
        prospects(
            lat=["-77.2", "38.9", "-77.2"],
            lon=["38.9", "77.2", "38.9"],
            state=["VA", "VA", None],
            country=["US", None, "KE"],
        ),
    )
    assert taken.rows[["lat", "lon"]].to_numpy().tolist() == [[-77.2, 38.9], [38.9, 77.2]]
    # Antarctica, and nobody knows what country the address is in that could contradict it.
    assert reasons(taken) == {4: "lat=-77.2, lon=38.9 is in Antarctica (were they swapped?)"}
    assert taken.refused["remedy"].tolist() == ["Correct or swap them."]


def test_coordinates_off_the_globe_are_not_used_where_there_is_an_address() -> None:
    taken = read_rows(
        "prospects",
        prospects(
            lat=["-122.3", "95"], lon=["47.6", "10"], zip=["98101", None], state=["WA", "WA"]
        ),
    )
    assert taken.rows["postal_code"].tolist() == ["98101"]
    assert taken.rows["lat"].isna().all()
    told = "lat=-122.3, lon=47.6 is not in the United States, but would be the other way round"
    assert notes(taken) == {2: f"{told}: not used"}
    assert reasons(taken) == {3: "lat=95, lon=10 is off the globe (were they swapped?)"}


def test_coordinates_that_their_source_calls_coarse_give_way_to_the_address() -> None:
    said = ["Address", "Zip", "City", None, "Roof", "Zip"]
    table = prospects(
        BillingLatitude=["41.9"] * 6,
        BillingLongitude=["-87.6"] * 6,
        BillingPostalCode=[*["60601"] * 5, None],
        BillingState=["IL"] * 6,
        BillingGeocodeAccuracy=said,
    )
    taken = read_rows("prospects", table)
    assert taken.rows["lat"].notna().tolist() == [True, False, False, True, True, True]
    assert notes(taken) == {
        3: "the coordinates given are only those of the Zip: not used",
        4: "the coordinates given are only those of the City: not used",
        6: "geocode_accuracy 'Roof' is unknown",
    }
    assert "geocode_accuracy" not in taken.rows
    assert taken.ignored == ()


def test_statuses_are_read_by_their_synonyms_and_unknown_ones_refused() -> None:
    written = ["Customer - Direct", "marketingqualifiedlead", None, "Churned", "Competitor", "blue"]
    taken = read_rows("prospects", prospects(Type=written))
    assert taken.rows["status"].tolist() == [
        "customer", "prospect", "prospect", "former", "disqualified",
    ]  # fmt: skip
    assert reasons(taken) == {7: "status 'blue' is unknown"}
    assert "prospect, customer, former, disqualified" in taken.refused["remedy"][0]


def test_figures_that_nobody_can_read_are_noted_and_the_row_is_taken() -> None:
    taken = read_rows("prospects", prospects(employees=["lots", "-1"], revenue=["€3bn", "$3bn"]))
    assert taken.rows["revenue_usd"].fillna(0).tolist() == [0, 3e9]
    assert taken.notes["note"].tolist() == [
        "employees 'lots' was not recognized",
        "revenue_usd '€3bn' was not recognized",
        "employees '-1' was not recognized",
    ]


def test_units_of_markets_keep_their_leading_zeros() -> None:
    table = pd.DataFrame(
        {"market_id": ["a", "b"], "name": ["A", "B"], "kind": ["Metro", "states"],
         "units": ["1180; 19740", "CO|WY"]}
    )  # fmt: skip
    rows = read_rows("markets", table).rows
    assert rows["units"].tolist() == ["01180|19740", "CO|WY"]
    assert rows["kind"].tolist() == ["metro_area", "state"]


def test_hostile_names_come_through_as_they_are(tmp_path: Path) -> None:
    names = [
        "<script>alert(1)</script>",
        "=cmd|' /C calc'!A0",
        "Robert'); DROP TABLE x;--",
        "Ω\u202e",
    ]
    lines = "\r\n".join('"' + name.replace('"', '""') + '",60606' for name in names)
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbf" + f"Name,Zip\r\n{lines}\r\n".encode())
    taken = read_rows("prospects", read_table(tmp_path / "t.csv"))
    assert taken.rows["name"].tolist() == names
    assert taken.rows["postal_code"].tolist() == ["60606"] * 4
    assert taken.rows["line"].tolist() == [2, 3, 4, 5]


def test_rows_that_did_not_fit_their_file_are_among_the_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("name,city\nA,Zürich\nB,x,y\nC,z\n".encode("latin-1"))
    taken = read_rows("prospects", read_table(tmp_path / "t.csv"))
    assert taken.rows[["name", "city"]].to_numpy().tolist() == [["A", "Zürich"], ["C", "z"]]
    assert reasons(taken) == {3: "3 cells under a header of 2"}


words = st.none() | st.sampled_from(["", "1", "Acme", "CO", "95", "-77.2", "0", "US", "blue", "=x"])


@settings(deadline=None, max_examples=40, derandomize=True)
@given(st.lists(st.lists(words, min_size=7, max_size=7), min_size=1, max_size=12))
def test_every_row_is_taken_or_refused_exactly_once(rows: list[list[str | None]]) -> None:
    columns = ["id", "name", "status", "state", "country", "lat", "lon"]
    table = pd.DataFrame(rows, columns=columns, dtype=object)
    taken = read_rows("prospects", table)
    lines = [*taken.rows["line"], *taken.refused["line"]]
    assert sorted(lines) == list(range(2, len(rows) + 2))
    check(taken.rows, PROSPECTS, "prospects")
    assert taken.refused[["reason", "remedy"]].notna().all(axis=None)
    assert taken.rows["line"].is_monotonic_increasing


def test_taking_in_what_was_taken_in_changes_nothing() -> None:
    table = prospects(
        state=["wash.", "ON"], zip=["98101-1234", "k1a0b1"], employees=["c. 12", "1k"],
        revenue=["$1.5bn", None], Type=["Client", None],
    )  # fmt: skip
    once = read_rows("prospects", table).rows.drop(columns="line")
    texts = once.map(lambda value: None if pd.isna(value) else str(value))
    again = read_rows("prospects", texts).rows.drop(columns="line")
    pd.testing.assert_frame_equal(once, again)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("fortune500_hifld.csv", 500),
        ("universities_ipeds_hd2020.csv", 6440),
        ("listed_companies_financedatabase.csv", 29790),
    ],
)
def test_real_files_are_taken_whole(shared: Path, name: str, rows: int) -> None:
    taken = read_rows("prospects", read_table(shared / name))
    assert len(taken.rows) == rows
    assert not len(taken.refused)
    american = taken.rows[taken.rows["country"] == "US"]
    shares = american["postal_code"].dropna().str.fullmatch(r"\d{5}").mean()
    assert shares > 0.99


def test_the_revenue_of_the_fortune_500_is_in_dollars(shared: Path) -> None:
    rows = read_rows("prospects", read_table(shared / "fortune500_hifld.csv")).rows
    walmart = rows[rows["name"].str.startswith("WAL-MART") | rows["name"].str.startswith("WALMART")]
    assert walmart["revenue_usd"].iloc[0] == pytest.approx(485_873e6)
