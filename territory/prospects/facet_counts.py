"""Counts of codes among the rows that a mask lets through, in bulk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

_FEW_CODES = 12  # up to so many, comparing with each is quickest
_PAIRED_FROM = 200_000  # rows from which on two at a time pay for the larger table
_BYTE = 256


def count_codes(
    codes: npt.NDArray[Any], mask: npt.NDArray[np.bool_], size: int
) -> npt.NDArray[np.int64]:
    """Count how many rows of a mask have each code from 0 to ``size - 1``.

    No row is picked out by the mask, which would cost more than the counting: the product of code
    and mask is 0 for a row that is not meant. Of codes of one byte each, two neighbours are counted
    as one number of two bytes, which halves the work; the sums over either byte are the counts.
    """
    if size <= _FEW_CODES:
        return np.array([np.count_nonzero((codes == code) & mask) for code in range(size)])
    meant = codes * mask
    if codes.dtype.itemsize > 1 or len(codes) < _PAIRED_FROM:
        counts = np.bincount(meant, minlength=size)
    else:
        even = len(meant) // 2 * 2
        pairs = np.bincount(meant[:even].view(np.uint16), minlength=_BYTE**2)
        table = pairs.reshape(_BYTE, _BYTE)
        counts = table.sum(axis=0) + table.sum(axis=1)
        counts += np.bincount(meant[even:], minlength=_BYTE)
        counts = counts[:size]
    counts[0] -= len(mask) - np.count_nonzero(mask)
    return counts
