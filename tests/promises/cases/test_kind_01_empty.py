"""Kind 1: where nothing overlaps, nothing breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

if TYPE_CHECKING:
    from tests.promises.cases.conftest import Desk


@pytest.mark.case("b01")
@pytest.mark.parametrize(
    "markets",
    ["b01_two_touching.geojson", "b01_states_il_in.csv", "b01_counties.csv", "b01_zips.csv"],
)
def test_markets_that_touch_are_assigned_and_checked(desk: Desk, markets: str) -> None:
    for kind, name in (
        ("offices", "support_office_chicago.csv"),
        ("reps", "support_reps.csv"),
        ("markets", markets),
        ("prospects", "b01_prospects.csv"),
    ):
        desk.run("import", kind, name)
    desk.run("assign")
    desk.run("check", code=None)
    assert desk.last is not None
    assert desk.last.exit_code in (0, 1)
    assert "overlap" not in desk.last.output


@pytest.mark.case("b01")
def test_a_point_on_a_shared_border_goes_to_the_smallest_id_and_is_said_to_be_in_two(
    desk: Desk,
) -> None:
    for kind, name in (
        ("offices", "support_office_chicago.csv"),
        ("reps", "support_reps.csv"),
        ("markets", "b01_two_touching.geojson"),
        ("prospects", "b01_prospects.csv"),
    ):
        desk.run("import", kind, name)
    desk.run("assign")
    desk.run("export", "prospects", str(desk.folder / "o.csv"))
    market_of = pd.read_csv(desk.folder / "o.csv").set_index("prospect_id")["market_id"]
    assert market_of[["b1", "b5"]].tolist() == ["N", "S"]
    desk.run("export", "findings", str(desk.folder / "f.csv"))
    findings = pd.read_csv(desk.folder / "f.csv").set_index("code")
    assert "markets_overlap" not in findings.index
    assert findings.loc["two_markets", "subject_id"] == "b1"
    assert findings.loc["two_markets", "message"] == (
        "On border is in both North and South. It is counted in North, which has the smaller id."
    )
