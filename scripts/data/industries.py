"""Industries by their NAICS code, all levels from sector to national industry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

from scripts.data.sources import NAICS_2017, NAICS_2022

if TYPE_CHECKING:
    from scripts.data.sources import Archives


def industries(archives: Archives) -> pd.DataFrame:
    """What each code of NAICS 2022 stands for, and of 2017 where 2022 has it no more.

    naics_code (2 to 6 digits), title, edition ("2022", "2017"). A sector of several codes, such as
    31-33, has a row for each.
    """
    later = dict(
        re.findall(r'^\t"([\d-]+)": "(.*)",?$', archives.text(NAICS_2022, "naics.py"), re.MULTILINE)
    )
    listed = archives.json(NAICS_2017, "data/2017_NAICS_Descriptions.json")
    # A T at the end marks what Canada and Mexico have in the same words.
    earlier = {
        code: re.sub(r"(?<=[a-z)])T\s*$", "", entry["Title"]).strip()
        for code, entry in listed.items()
    }
    rows = [
        {"naics_code": part, "title": title, "edition": edition}
        for edition, titles in (("2022", later), ("2017", earlier))
        for code, title in titles.items()
        for part in _parts(code)
    ]
    frame = pd.DataFrame(rows).drop_duplicates("naics_code")
    return frame.sort_values("naics_code", ignore_index=True)


def _parts(code: str) -> list[str]:
    first, _, last = code.partition("-")
    return [str(number) for number in range(int(first), int(last) + 1)] if last else [code]
