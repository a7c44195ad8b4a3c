"""Lines in few numbers come back as they were."""

from __future__ import annotations

import numpy as np

from tests.webmap.maps.test_market import traced
from webmap.maps import elements


def test_a_line_comes_back_from_its_steps_to_the_metre() -> None:
    line = np.random.default_rng(3).uniform((-90, -540), (90, 540), (500, 2))
    assert np.allclose(
        traced(elements.steps_of(line)), line, rtol=0, atol=0.5 / elements.STEPS_A_DEGREE
    )
