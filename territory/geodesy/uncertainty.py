"""Three-way verdicts on distances that are known to within an uncertainty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt


def verdicts(
    distance_m: npt.ArrayLike, uncertainty_m: npt.ArrayLike, limit_m: float
) -> npt.NDArray[np.object_]:
    """Say "in", "out" or "too_close_to_call" for locations known to within an uncertainty.

    In when even the far side of the uncertainty is within the limit, out when even its near side is
    beyond; with an uncertainty of 0 that is ``distance_m <= limit_m``. None where either is NaN.
    """
    d, u = np.broadcast_arrays(np.asarray(distance_m, float), np.asarray(uncertainty_m, float))
    if (u < 0).any():
        raise InputError(f"An uncertainty must be 0 m or more, not {u[u < 0][0]}.")
    choices: Callable[..., npt.NDArray[np.object_]] = np.select
    return choices(
        [np.isnan(d) | np.isnan(u), d + u <= limit_m, d - u > limit_m],
        [np.full(d.shape, value, object) for value in (None, "in", "out")],
        np.full(d.shape, "too_close_to_call", object),
    )
