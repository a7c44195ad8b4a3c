"""Kind 4: export then import changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

if TYPE_CHECKING:
    from tests.promises.cases.conftest import Desk

FORMATS = ("csv", "xlsx", "geojson", "gpkg", "kml", "parquet")
PLACE = ["lon", "lat", "precision", "uncertainty_m", "geocode_source", "placement"]


@pytest.mark.case("b02")
@pytest.mark.parametrize("form", FORMATS)
def test_prospects_come_back_as_they_left(chicago: Desk, form: str) -> None:
    chicago.run("import", "prospects", "b02_prospects.csv")
    chicago.run("assign")
    before = chicago.table("prospects")
    path = str(chicago.folder / f"o.{form}")
    chicago.run("export", "prospects", path)
    report = chicago.read("prospects", path)
    assert (report["new"], report["updated"], report["unchanged"]) == (0, 0, 3), report
    after = chicago.table("prospects")
    pd.testing.assert_frame_equal(after, before)
    assert after.loc["p1", ["precision", "placement"]].tolist() == ["postal", "approximate"]
    assert after.loc["p1", "uncertainty_m"] == pytest.approx(1609, abs=1)
    assert after.loc["p2", "owner_rep_id"] == "R9"
    again = chicago.run("assign")
    assert "1 within" in again, again
    assert "2 findings" in again, again
