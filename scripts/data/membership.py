"""Which metro area each county belongs to, from two crosswalks that only speak of ZIP codes.

The counties crosswalk says which share of a ZIP code's addresses lies in each county; the metro
areas crosswalk which share of a metro area's addresses lies in each ZIP code (99999 stands for all
that is in no metro area). A county belongs to exactly one of those areas, wholly. So

1. an area can hold a county only if it holds a part of every ZIP code of that county;
2. a part of a ZIP code that an area holds must lie in some county of that area;
3. where both leave a choice, the amounts must fit: the ratio of what two areas hold of a ZIP code
   equals the ratio of the shares of their counties, up to one factor for the pair of areas, which
   the ZIP codes without a doubtful county tell.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

NO_AREA = "99999"
PAIR = ["county_fips", "cbsa_code"]


def county_cbsa(zip_county: pd.DataFrame, zip_cbsa: pd.DataFrame) -> pd.Series:
    """Metro area code by county code; null for a county in none.

    Parameters
    ----------
    zip_county
        zip_code, county_fips, total (share of the ZIP code's addresses, 0 to 1).
    zip_cbsa
        zip_code, cbsa_code, total (share of the area's addresses, 0 to 1).
    """
    county, area = zip_county[zip_county["total"] > 0], zip_cbsa[zip_cbsa["total"] > 0]
    both = county.merge(area, on="zip_code", suffixes=("", "_area"))
    found = both.groupby(PAIR, as_index=False).size()
    zips = found["county_fips"].map(county["county_fips"].value_counts())
    possible = found.loc[found["size"] == zips, PAIR]

    known, doubtful = _settled(possible)
    held = county.merge(known, on="county_fips")[["zip_code", "cbsa_code", "total"]]
    held = held.groupby(["zip_code", "cbsa_code"], as_index=False).sum()
    explained = held[["zip_code", "cbsa_code"]].assign(explained=True)
    needs = both.merge(doubtful, on=PAIR).merge(explained, on=["zip_code", "cbsa_code"], how="left")
    forced = needs.loc[needs["explained"].isna(), PAIR].drop_duplicates()
    still = doubtful[~doubtful["county_fips"].isin(forced["county_fips"])]

    decided = [known, forced, _by_amount(still, county, area, held)]
    answer: pd.Series = pd.concat(decided).set_index("county_fips")["cbsa_code"].sort_index()
    return answer.where(answer != NO_AREA, None)


def _settled(possible: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split the possible pairs into counties with one area and counties with several."""
    several = possible["county_fips"].duplicated(keep=False)
    return possible[~several], possible[several]


def _by_amount(
    doubtful: pd.DataFrame, county: pd.DataFrame, area: pd.DataFrame, held: pd.DataFrame
) -> pd.DataFrame:
    """Take, for each doubtful county, the area whose holdings its share of addresses fits best."""
    # log of: share of the ZIP code in the area's known counties / share of the area in the ZIP code
    level = held.merge(area, on=["zip_code", "cbsa_code"], suffixes=("", "_area"))
    level = level.assign(log=np.log(level["total"] / level["total_area"]))
    clean = level[~level["zip_code"].isin(_zips_of(doubtful, county))]
    rows = []
    for fips, choice in doubtful.groupby("county_fips")["cbsa_code"]:
        misfit = dict.fromkeys(choice, 0.0)
        mine = county[county["county_fips"] == fips]
        for one in choice:
            for other in choice:
                if one != other:
                    misfit[one] += _misfit(one, other, mine, held, area, clean)
        rows.append((fips, min(sorted(misfit), key=misfit.__getitem__)))
    return pd.DataFrame(rows, columns=PAIR)


def _zips_of(doubtful: pd.DataFrame, county: pd.DataFrame) -> pd.Series:
    return county.loc[county["county_fips"].isin(doubtful["county_fips"]), "zip_code"]


def _misfit(
    one: str,
    other: str,
    mine: pd.DataFrame,
    held: pd.DataFrame,
    area: pd.DataFrame,
    clean: pd.DataFrame,
) -> float:
    """How far (natural log) the amounts are off if ``one`` holds the county and ``other`` not."""
    sides = clean[clean["cbsa_code"].isin([one, other])]
    sides = sides.pivot_table(index="zip_code", columns="cbsa_code", values="log").dropna()
    factor = (sides[one] - sides[other]).median() if len(sides) and sides.shape[1] == 2 else 0.0
    table = mine.set_index("zip_code")[["total"]]
    for name, code in (("one", one), ("other", other)):
        table[name] = held[held["cbsa_code"] == code].set_index("zip_code")["total"]
        table[f"{name}_area"] = area[area["cbsa_code"] == code].set_index("zip_code")["total"]
    shares = np.log(table["one"].fillna(0) + table["total"]) - np.log(table["other"])
    amounts = np.log(table["one_area"]) - np.log(table["other_area"])
    return float((shares - amounts - factor).abs().mean())
