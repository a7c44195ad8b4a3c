"""Decisions that HR can stand behind: what is printed beside a verdict is about that verdict."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from territory.eligibility.decision import decide
from territory.eligibility.rules import Criterion
from territory.units_of_length import METRES_PER_MILE
from tests.fixtures.eligibility_drawn import GEOD, TODAY, east, office, only, policy


class CrowFlies:
    """A router that answers with the straight line, so that the office asked for shows."""

    name = "crow"

    def routes(self, lon, lat, office_lon, office_lat):
        metres = np.asarray(GEOD.inv(lon, lat, office_lon, office_lat)[2], float)
        return metres, metres / 20.0


# --- the way by road is that to the office which decides ------------------------------------------


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_way_by_road_is_that_to_the_office_that_decides(order):
    near, far = office("near", -105.0, 39.7), office("far", -92.0, 39.7)
    offices = pd.concat([near, far], ignore_index=True)
    rules = (Criterion(20.0, offices="assigned"), Criterion(50.0))
    home = east(near, 10.6, assigned_office_id="far")
    row = only(
        decide(home, offices, policy(*(rules[at] for at in order)), on=TODAY, routing=CrowFlies())
    )
    assert (row["decision"], row["office_id"]) == ("eligible", "near")
    assert row["road_distance_m"] == pytest.approx(10.6 * METRES_PER_MILE, rel=1e-6)


def test_no_way_by_road_stands_beside_a_decision_that_names_no_office():
    row = only(
        decide(
            east(office("a", -105.0, 39.7), 5, fault="po_box"),
            office("a", -105.0, 39.7),
            policy(),
            on=TODAY,
            routing=CrowFlies(),
        )
    )
    assert row["office_id"] is None
    assert np.isnan(row["road_distance_m"])
