"""Counts of codes under a mask, against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest

from territory.prospects.query import count_codes


@pytest.mark.parametrize("rows", [0, 1, 999, 200_000, 300_001])  # few, many, and an odd one over
@pytest.mark.parametrize(
    ("kind", "size"), [(np.uint8, 3), (np.uint8, 12), (np.uint8, 13), (np.uint8, 256),
                       (np.uint16, 900), (np.uint32, 70_000)]
)  # fmt: skip
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_every_code_is_counted_among_the_rows_of_the_mask(rows, kind, size, share) -> None:
    rng = np.random.default_rng(rows + size)
    codes, mask = rng.integers(0, size, rows).astype(kind), rng.random(rows) < share
    found = count_codes(codes, mask, size)
    assert found.tolist() == np.bincount(codes[mask], minlength=size).tolist()
    assert found.sum() == mask.sum()


def test_codes_and_mask_stay_as_they_are() -> None:
    codes, mask = np.full(200_001, 77, np.uint8), np.zeros(200_001, bool)
    mask[-1] = True
    assert count_codes(codes, mask, 100)[77] == 1
    assert (codes == 77).all()
    assert mask.sum() == 1
