"""Kind 1: where nothing overlaps, nothing breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
