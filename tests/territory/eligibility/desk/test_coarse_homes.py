"""No plan of offices, and no difference between plans, tells one home from its neighbors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from territory.eligibility import desk
from territory.eligibility.desk.coarse_homes import SQUARE_MI, coarsen, round_count
from tests.fixtures.eligibility_drawn import GEOD
from tests.fixtures.eligibility_stores import LAT, LON, opened

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fixtures.eligibility_stores import Desk

# Two places in one square, four miles apart, that cross the limit of a moved office elsewhere.
HERE, THERE = (-105.02, 39.95), (-104.95, 39.99)


def sweep(here: Desk, minimum_cell: int) -> list[dict[str, Any]]:
    """Move an office in steps of a third of a mile, first one way, then across it."""
    places = [(-105.75 + 0.006 * step, 39.9) for step in range(40)]
    places += [(-105.0, 40.5 + 0.005 * step) for step in range(40)]
    answers = []
    for lon, lat in places:
        opening = pd.DataFrame([{"office_id": "new", "name": "New", "lon": lon, "lat": lat}])
        report = desk.plan_offices(
            here.store, here.homes, here.ask(), opening=opening, minimum_cell=minimum_cell
        )
        answers.append({**report.counts, "by": report.by_office, "homes": report.homes})
    return answers


def answers(folder: Path, home: tuple[float, float] | None, minimum_cell: int) -> list[Any]:
    """What the sweep tells where four others live far off, and one person where we say."""
    folder.mkdir()
    with opened(folder) as here:
        rows = [
            {"person_id": f"E-{at}", "lon": repr(LON + 1.5), "lat": repr(LAT + 0.01 * at)}
            for at in range(4)
        ]
        if home is not None:
            rows.append({"person_id": "E-9", "lon": repr(home[0]), "lat": repr(home[1])})
        frame = pd.DataFrame(rows, dtype=object)
        desk.decide.decide(here.store, here.homes, frame, here.ask())
        return sweep(here, minimum_cell)


def test_an_office_moved_in_small_steps_tells_no_home_within_its_square(tmp_path: Path) -> None:
    one, other = (answers(tmp_path / name, home, 5) for name, home in (("a", HERE), ("b", THERE)))
    assert one == other
    # The same steps tell the two apart where counts are exact: the sweep crosses both limits.
    one, other = (answers(tmp_path / name, home, 1) for name, home in (("c", HERE), ("d", THERE)))
    assert one != other


def test_a_person_added_changes_a_count_by_a_whole_step_or_not_at_all(tmp_path: Path) -> None:
    without, with_one = (
        answers(tmp_path / name, home, 5) for name, home in (("a", None), ("b", HERE))
    )
    for before, after in zip(without, with_one, strict=True):
        for name in desk.OUTCOMES:
            told = (before[name] or 0, after[name] or 0)
            assert all(count % 5 == 0 for count in told)
            assert before[name] is None or abs(told[1] - told[0]) in (0, 5)


@pytest.mark.parametrize("seed", range(3))
def test_a_home_is_moved_by_less_than_a_square_and_twice_is_once(seed: int) -> None:
    drawn = np.random.default_rng(seed)
    lon, lat = drawn.uniform(-179, 179, 5_000), drawn.uniform(-75, 75, 5_000)
    homes = pd.DataFrame({"lon": lon, "lat": lat, "uncertainty_m": 700.0})
    coarse = coarsen(homes)
    moved = GEOD.inv(lon, lat, coarse["lon"].to_numpy(), coarse["lat"].to_numpy())[2]
    assert moved.max() < SQUARE_MI * 1609.344 * 0.75
    assert (coarse["uncertainty_m"] == 0).all()
    again = coarsen(coarse)
    np.testing.assert_allclose(again[["lon", "lat"]], coarse[["lon", "lat"]], atol=1e-9)


def test_counts_are_rounded_and_hidden_ones_stay_hidden() -> None:
    assert [round_count(n, 5) for n in (None, 0, 5, 7, 8, 12, 15)] == [None, 0, 5, 5, 5, 10, 15]
