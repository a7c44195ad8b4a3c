"""Each thing that is wrong with a plan is found once, with its remedy, and counted as N of M."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from territory.plans import checks
from territory.plans.checks import Situation
from territory.plans.findings import CODES, sum_up
from territory.plans.overlap_checks import shared_zip_codes
from territory.policy import Policy
from territory.schemas import FINDINGS, SEVERITIES, check
from territory.units_of_length import METRES_PER_MILE

GOOD = {
    "prospect_id": "p1",
    "name": "Acme",
    "segment": "enterprise",
    "market_id": "CHI",
    "rule": "market_of_headquarters",
    "nearest_office_id": "LOOP",
    "distance_m": 22.3 * METRES_PER_MILE,
    "verdict": "in",
    "locality": "Cook County, IL",
    "lon": -87.0,
    "precision": "rooftop",
    "uncertainty_m": 0.0,
}


def rows(*told: dict[str, object], columns: tuple[str, ...] = ()) -> pd.DataFrame:
    frame = pd.DataFrame(list(told), columns=list(columns) or None)
    return frame.astype(object).where(frame.notna(), None)


def prospects(*changes: dict[str, object]) -> pd.DataFrame:
    frame = rows(*(GOOD | {"prospect_id": f"p{at}"} | told for at, told in enumerate(changes, 1)))
    return frame.astype(dict.fromkeys(["distance_m", "lon", "uncertainty_m"], float))


FINE = Situation(
    assigned=prospects({}),
    in_two=pd.DataFrame(columns=["prospect_id", "market_id", "other_id"]),
    overlaps=pd.DataFrame(columns=["market_id", "other_id", "area_km2"]),
    shared_zips=pd.DataFrame(columns=["market_id", "other_id", "zip_code", "prospect_ids"]),
    offices=rows({"office_id": "LOOP", "name": "Loop", "lon": -87.0}),
    reps=rows({"rep_id": "ann", "name": "Ann", "base_office_id": "LOOP"}),
    markets=rows({"market_id": "CHI", "name": "Chicago"}),
    territories=rows(
        {
            "territory_id": "T1",
            "name": "Lakeside",
            "rep_id": "ann",
            "market_id": "CHI",
            "segment": "any",
        }
    ),
    named_accounts=pd.DataFrame(columns=["prospect_id", "territory_id"]),
    policy=Policy(),
)
TWO_MARKETS = rows(
    {"market_id": "CHI", "name": "Chicago", "kind": "zip_code", "units": "60601|60602|60603"},
    {"market_id": "MKE", "name": "Milwaukee", "kind": "zip_code", "units": "53202|60602|60603"},
)
BOTH = pd.concat([FINE.territories, FINE.territories.assign(market_id="MKE")], ignore_index=True)
LOST = {"lon": np.nan, "market_id": None, "distance_m": np.nan, "verdict": None, "locality": None}

CASES = {
    "unplaced": (
        {"assigned": prospects({}, LOST)},
        "p2",
        "Acme has no location: neither its ZIP code nor its city was found.",
        None,
    ),
    "outside_every_market": (
        {"assigned": prospects({}, {"market_id": None})},
        "p2",
        "Acme (Cook County, IL) is in no market.",
        None,
    ),
    "two_markets": (
        {
            "in_two": rows({"prospect_id": "p1", "market_id": "CHI", "other_id": "MKE"}),
            "markets": TWO_MARKETS,
            "territories": BOTH,
        },
        "p1",
        (
            "Acme (Cook County, IL) is in both Chicago and Milwaukee. It is counted in Chicago, "
            "which has the smaller id."
        ),
        "CHI",
    ),
    "beyond_radius": (
        {"assigned": prospects({"verdict": "out", "distance_m": 50.01 * METRES_PER_MILE})},
        "p1",
        "Acme (Cook County, IL) is 50.01 mi from the Loop office, beyond the 50 mi limit.",
        "CHI",
    ),
    "too_coarse": (
        {
            "assigned": prospects(
                {
                    "verdict": "too_close_to_call",
                    "distance_m": 45 * METRES_PER_MILE,
                    "uncertainty_m": 10 * METRES_PER_MILE,
                }
            )
        },
        "p1",
        (
            "Acme (Cook County, IL) is 45.0 mi from the Loop office and its location is accurate "
            "to about 10.0 mi: too close to call at 50 mi."
        ),
        "CHI",
    ),
    "office_unplaced": (
        {"offices": rows({"office_id": "LOOP", "name": "Loop", "lon": None})},
        "LOOP",
        "Loop has no location, so it is left out of all distances.",
        None,
    ),
    "markets_overlap": (
        {
            "overlaps": pd.DataFrame(
                {"market_id": ["CHI"], "other_id": ["MKE"], "area_km2": [1310.06]}
            ),
            "markets": TWO_MARKETS,
            "territories": BOTH,
        },
        "CHI",
        "Chicago overlaps Milwaukee (2 ZIP codes, 506 sq mi).",
        "CHI",
    ),
    "zip_codes_shared": (
        {
            "shared_zips": pd.DataFrame(
                {
                    "market_id": ["CHI", "CHI"],
                    "other_id": ["MKE", "MKE"],
                    "zip_code": ["60601", "60602"],
                    "prospect_ids": [["p1"], []],
                }
            ),
            "markets": TWO_MARKETS,
            "territories": BOTH,
        },
        "CHI",
        (
            "Chicago shares 60601, 60602 with Milwaukee. 1 account counts in Chicago, which "
            "has the smaller id: Acme."
        ),
        "CHI",
    ),
    "segment_covered_twice": (
        {
            "assigned": prospects({}, {"name": "Beta"}, {"segment": "small"}),
            "territories": pd.concat(
                [
                    FINE.territories,
                    FINE.territories.assign(territory_id="T3", name="Big", segment="enterprise"),
                    FINE.territories.assign(territory_id="T2", name="Loop", segment="enterprise"),
                ]
            ),
        },
        "CHI",
        (
            "Chicago: Loop (T2) and Big (T3) both cover segment enterprise. 2 accounts go to T2, "
            "which has the smaller id: Acme, Beta."
        ),
        "CHI",
    ),
    "market_without_territory": (
        {"markets": TWO_MARKETS},
        "MKE",
        "Milwaukee has no owner: no territory covers it.",
        "MKE",
    ),
    "segments_without_territory": (
        {
            "assigned": prospects(
                {},
                {"segment": "unknown", "rule": "unassigned"},
                {"segment": "mid_market", "rule": "unassigned"},
                {"segment": "unknown", "rule": "unassigned"},
            )
        },
        "CHI",
        "Chicago has prospects in segments that no territory covers: mid-market (1), unknown (2).",
        "CHI",
    ),
    "territory_unknown_rep": (
        {
            "territories": pd.concat(
                [
                    FINE.territories,
                    FINE.territories.assign(territory_id="T2", rep_id="zed", segment="small"),
                ]
            )
        },
        "T2",
        "Lakeside is assigned to rep zed, who is not in your data.",
        None,
    ),
    "rep_without_base_office": (
        {"reps": FINE.reps.assign(base_office_id=None)},
        "ann",
        "Ann has no base office.",
        None,
    ),
    "rep_unknown_base_office": (
        {"reps": FINE.reps.assign(base_office_id="MOON")},
        "ann",
        "Ann has base office MOON, which is not in your data.",
        None,
    ),
    "account_unknown_owner": (
        {"assigned": prospects({"owner_rep_id": "ann"}, {"owner_rep_id": "Bo"})},
        "p2",
        "Acme (Cook County, IL) is owned by Bo, who does not match a rep by id, email or name.",
        "CHI",
    ),
    "named_account_unknown_prospect": (
        {"named_accounts": rows({"prospect_id": "ghost", "territory_id": "T1"})},
        "ghost",
        "ghost is a named account of Lakeside but not in your data.",
        None,
    ),
}


def found(**changes: object) -> pd.DataFrame:
    whole = checks.findings(replace(FINE, **changes))  # type: ignore[arg-type]
    return check(whole, FINDINGS, "findings")


def test_a_plan_in_order_has_no_findings() -> None:
    assert found().empty


@pytest.mark.parametrize("code", CASES)
def test_each_fault_is_found_alone_with_message_and_remedy(code: str) -> None:
    changes, subject, message, market_id = CASES[code]
    (finding,) = found(**changes).to_dict("records")
    assert finding == {
        "code": code,
        "severity": CODES[code].severity,
        "subject_kind": CODES[code].subject_kind,
        "subject_id": subject,
        "message": message,
        "remedy": CODES[code].remedy,
        "market_id": market_id,
    }


def test_a_territory_without_a_rep_leaves_its_market_without_one() -> None:
    told = found(territories=FINE.territories.assign(rep_id=None))
    assert told[["code", "subject_id"]].to_numpy().tolist() == [
        ["market_without_rep", "CHI"],
        ["territory_without_rep", "T1"],
    ]


def test_a_territory_for_any_segment_is_no_rival_of_one_for_this_segment() -> None:
    closer = FINE.territories.assign(territory_id="T2", segment="enterprise")
    assert found(territories=pd.concat([FINE.territories, closer])).empty
    rival = FINE.territories.assign(territory_id="T2", name="Loop")
    (finding,) = found(territories=pd.concat([FINE.territories, rival])).to_dict("records")
    assert (
        "Lakeside (T1) and Loop (T2) both cover every segment. 1 account goes to T1"
        in (finding["message"])
    )


def test_shared_zip_codes_are_those_on_two_lists() -> None:
    markets = rows(
        {"market_id": "C", "kind": "zip_code", "units": "60601|60602"},
        {"market_id": "A", "kind": "zip_code", "units": "60602|60603|60602"},
        {"market_id": "B", "kind": "county", "units": "60602"},
    )
    people = rows(
        {"prospect_id": "p1", "market_id": "A", "postal_code": "60602-1234"},
        {"prospect_id": "p2", "market_id": "A", "postal_code": "60603"},
        {"prospect_id": "p3", "market_id": None, "postal_code": None},
    )
    assert shared_zip_codes(people, markets).to_dict("records") == [
        {"market_id": "A", "other_id": "C", "zip_code": "60602", "prospect_ids": ["p1"]}
    ]
    assert shared_zip_codes(people, markets.iloc[2:]).empty


def test_a_prospect_in_three_markets_is_one_finding() -> None:
    pairs = rows(
        {"prospect_id": "p1", "market_id": "CHI", "other_id": "MKE"},
        {"prospect_id": "p1", "market_id": "CHI", "other_id": "XXX"},
    )
    assert len(found(in_two=pairs, markets=TWO_MARKETS, territories=BOTH)) == 1


def test_every_code_is_tested_and_has_a_known_severity() -> None:
    together = {"market_without_rep", "territory_without_rep"}
    assert set(CODES) == set(CASES) | together
    assert {code.severity for code in CODES.values()} == set(SEVERITIES)
    assert all(code.remedy.endswith(".") for code in CODES.values())


def test_findings_are_summed_up_as_n_of_m() -> None:
    situation = replace(FINE, assigned=prospects({}, LOST, LOST, {"market_id": None}))
    sums = sum_up(checks.findings(situation), situation.sizes)
    assert sums["title"].tolist() == [
        "2 of 4 prospects without a location",
        "1 of 4 prospects outside every market",
    ]
    assert sums[["found", "of"]].to_numpy().tolist() == [[2, 4], [1, 4]]


def test_no_findings_sum_up_to_nothing() -> None:
    assert sum_up(checks.findings(FINE), FINE.sizes).empty


def test_braces_in_a_name_are_left_as_they_are() -> None:
    told = found(assigned=prospects({"name": "{0} {who} %s", "market_id": None}))
    assert told["message"].tolist() == ["{0} {who} %s (Cook County, IL) is in no market."]
