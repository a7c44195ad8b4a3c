"""Verdicts on distances known to within an uncertainty."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from territory.errors import InputError
from territory.geodesy import verdicts


def test_a_verdict_is_given_only_when_the_uncertainty_allows_it() -> None:
    limit_m = 1_000
    cases = {
        (900, 100): "in",
        (900, 101): "too_close_to_call",
        (1_000, 0): "in",
        (1_000.5, 0): "out",
        (1_100, 100): "too_close_to_call",
        (1_101, 100): "out",
        (np.nan, 0): None,
        (5, np.nan): None,
    }
    distance_m, uncertainty_m = np.array(list(cases)).T
    assert list(verdicts(distance_m, uncertainty_m, limit_m)) == list(cases.values())
    assert len(verdicts([], [], limit_m)) == 0
    assert list(verdicts([1, 2_000], 0, limit_m)) == ["in", "out"]
    with pytest.raises(InputError, match="must be 0 m or more, not -1"):
        verdicts([5], [-1], limit_m)


@given(hnp.arrays(float, 5, elements=st.floats(0, 2e7)), st.floats(0, 2e7))
@settings(deadline=None, derandomize=True)
def test_a_certain_location_is_in_exactly_when_it_is_within(distance_m, limit_m) -> None:
    expected = np.where(distance_m <= limit_m, "in", "out")
    assert (verdicts(distance_m, 0, limit_m) == expected).all()
