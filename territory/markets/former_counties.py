"""Former counties: codes and names that lists still carry, and those of today in their place.

From the Census Bureau's "Substantial Changes to Counties and County Equivalent Entities", and for
Connecticut from the towns of each planning region. Where a county was divided, its list names all
that have part of its ground, so that a person can choose.
"""

from __future__ import annotations

from typing import NamedTuple

_CHANGES = """
02201 Prince of Wales-Outer Ketchikan Census Area, AK: 2008: 02130 02198 02275
02231 Skagway-Yakutat-Angoon Census Area, AK: 1992: 02105 02230 02282
02232 Skagway-Hoonah-Angoon Census Area, AK: 2007: 02105 02230
02261 Valdez-Cordova Census Area, AK: 2019: 02063 02066
02270 Wade Hampton Census Area, AK: 2015: 02158
02280 Wrangell-Petersburg Census Area, AK: 2008: 02195 02198 02275
09001 Fairfield County, CT: 2022: 09120 09140 09190
09003 Hartford County, CT: 2022: 09110 09140 09160
09005 Litchfield County, CT: 2022: 09140 09160 09190
09007 Middlesex County, CT: 2022: 09130
09009 New Haven County, CT: 2022: 09140 09170
09011 New London County, CT: 2022: 09130 09150 09180
09013 Tolland County, CT: 2022: 09110 09150
09015 Windham County, CT: 2022: 09150 09180
12025 Dade County, FL: 1997: 12086
30113 Yellowstone National Park, MT: 1997: 30031 30067
46113 Shannon County, SD: 2015: 46102
46131 Washabaugh County, SD: 1983: 46071
51515 Bedford city, VA: 2013: 51019
51560 Clifton Forge city, VA: 2001: 51005
51780 South Boston city, VA: 1995: 51083
"""


class FormerCounty(NamedTuple):
    """A county that is none now: name with state, the year of the change, the codes of today."""

    name: str
    year: int
    successors: tuple[str, ...]


def _former_counties() -> dict[str, FormerCounty]:
    table = {}
    for line in _CHANGES.strip().splitlines():
        name, year, successors = line[6:].split(": ")
        table[line[:5]] = FormerCounty(name, int(year), tuple(successors.split()))
    return table


FORMER_COUNTIES = _former_counties()
