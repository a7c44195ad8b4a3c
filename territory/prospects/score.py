"""Score of a prospect, by which to call next: the sum of parts that anyone can check.

Each part is a share from 0 to 1 times its weight; the weights are policy and add up to the best
score there is. Nothing is hidden in a model: ``parts`` gives what ``score`` adds up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.policy import SCORE_PARTS
from territory.units_of_length import to_miles

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from territory.policy import ScorePolicy

PARTS = SCORE_PARTS
_SEGMENT_SHARE = {"enterprise": 1.0, "mid_market": 0.6, "small": 0.2}
_LARGE = 10_000.0  # employees at which the part of size is full
_RICH_USD = 1_000_000.0  # open pipeline at which the part of pipeline is full


def parts(
    prospects: pd.DataFrame, policy: ScorePolicy, today: str
) -> dict[str, npt.NDArray[np.float64]]:
    """Score each prospect part by part.

    Parameters
    ----------
    prospects
        segment, employees, distance_mi, pipeline_usd, stage (null: no open opportunity),
        last_activity_on (ISO day or null), status.
    today
        ISO day that staleness is counted from.

    Returns
    -------
    parts
        One array of points for each of ``PARTS``, to a tenth, so that their sum is the score to the
        last digit. A disqualified prospect has none.
    """
    open_ = prospects["stage"].notna().to_numpy(bool)
    pipeline = prospects["pipeline_usd"].to_numpy(float, na_value=0.0)
    employees = np.maximum(prospects["employees"].to_numpy(float, na_value=0.0), 1.0)
    miles = prospects["distance_mi"].to_numpy(float, na_value=np.inf)
    touched = prospects["last_activity_on"].to_numpy("datetime64[D]")
    idle = (np.datetime64(today, "D") - touched).astype("timedelta64[D]").astype(float)
    idle[np.isnat(touched)] = np.inf
    shares = {
        "segment": prospects["segment"].map(_SEGMENT_SHARE).to_numpy(float, na_value=0.0),
        "size": np.clip(np.log10(employees) / np.log10(_LARGE), 0.0, 1.0),
        "nearness": np.clip(1 - miles / to_miles(policy.far_m), 0.0, 1.0),
        "whitespace": (~open_ & (prospects["status"] == "prospect").to_numpy(bool)).astype(float),
        "pipeline": np.clip(pipeline / _RICH_USD, 0.0, 1.0) * open_,
        "staleness": np.clip(idle / policy.stale_days, 0.0, 1.0),
    }
    counts = (prospects["status"] != "disqualified").to_numpy(float)
    return {
        name: np.round(share * getattr(policy, name) * counts, 1) for name, share in shares.items()
    }


def score(prospects: pd.DataFrame, policy: ScorePolicy, today: str) -> npt.NDArray[np.float64]:
    """Add up ``parts``."""
    return np.round(sum(parts(prospects, policy, today).values()), 1)
