"""What a server has ready before it forks, so that its workers share one copy of it.

Without this every worker would import, read and compress it for itself when the first page is asked
for, and hold it for ever.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import pandas as pd

from territory import reference
from territory.markets import define
from webmap.maps import assets, market_map

if TYPE_CHECKING:
    from flask import Flask

SMALLEST = "RI"  # a market to draw
M_ARENA_MAX, ARENAS = -8, 2  # <malloc.h> of the GNU C library


def share_heaps() -> None:
    """Keep every thread from a heap of its own, whose gaps no other thread can use.

    A quarter of what a worker holds would lie in such gaps. Python runs one thread at a time, so
    none waits. C libraries other than GNU's have no such thing.
    """
    tune = getattr(ctypes.CDLL(None), "mallopt", None)
    if tune is not None:
        tune(M_ARENA_MAX, ARENAS)


def warm(app: Flask) -> None:
    """Read the tables that pages need, the templates and the scripts, and draw one map.

    The store is left alone: a connection to it must not cross a fork.
    """
    tables = reference.load()
    _ = tables.states, tables.counties, tables.zip_codes
    market = {"market_id": SMALLEST, "name": SMALLEST, "kind": "state", "units": SMALLEST}
    markets = define(pd.DataFrame([market]), tables)
    office = pd.DataFrame({"office_id": [""], "name": [""], "lon": [-71.4], "lat": [41.8]})
    page = market_map("", markets.geometry.iloc[0], office)
    for one in assets.library().values():
        if one.name in page.head:
            _ = one.brotli, one.gzip
    for name in app.jinja_env.list_templates():
        app.jinja_env.get_template(name)
