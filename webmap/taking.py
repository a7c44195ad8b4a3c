"""What is taken along of a list: files of exactly what the filters show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from flask import Blueprint, Response

from territory import workflow
from webmap import exports, listing, security, shell
from webmap.targets import Place

if TYPE_CHECKING:
    from webmap.listing import Listed

blueprint = Blueprint("taking", __name__)

# Suffix, what people call the format, what it is for, and whether it is a map.
FORMATS = (
    ("csv", "CSV", "a table for any program", False),
    ("xlsx", "Excel", "a workbook", False),
    ("geojson", "GeoJSON", "for maps on the web", True),
    ("kml", "KML", "for Google Earth", True),
    ("gpkg", "GeoPackage", "for QGIS and ArcGIS", True),
)
FILE = f"prospects.<any({', '.join(form for form, *_ in FORMATS)}):suffix>"


@dataclass(frozen=True)
class Offer:
    """What may leave of a list: ``rows`` of ``shown``, ``located`` of these with a location."""

    listed: Listed
    rows: int
    located: int
    shown: int

    @property
    def formats(self) -> list[dict[str, Any]]:
        """Give each format with its address, under the filters of the list."""
        return [
            {"name": name, "use": use, "is_map": is_map, "url": self._address(form)}
            for form, name, use, is_map in FORMATS
        ]

    def _address(self, form: str) -> str:
        place, query = self.listed.place, self.listed.asked.query(page=1)
        if place.is_outside:
            return shell.address("taking.outside", query, suffix=form)
        return shell.address("taking.prospects", query, market_id=place.market_id, suffix=form)


def offer(listed: Listed) -> Offer | None:
    """Count what of a list may leave as a file; None where nothing may."""
    if not security.may("export_accounts"):
        return None
    reach = security.scope().exported.accounts
    found = listed.prospects.select(listed.criteria, None if reach.is_all else reach.rep_ids)
    located = int(np.count_nonzero(found.mask[: listed.prospects.snapshot.placed]))
    return Offer(listed, found.total, located, listed.selection.total) if found.total else None


@blueprint.get(f"/markets/<market_id>/{FILE}")
@security.allows("export_accounts")
def prospects(market_id: str, suffix: str) -> Response:
    """Export what the filters show of a market, as far as it may leave, in a format of choice."""
    view = workflow.market(shell.store(), market_id, scope=security.scope().exported)
    shown = listing.select(view.prospects, listing.listed(Place(market_id)).ids())
    return exports.table(shown, "prospects", suffix, of=market_id, is_demo=view.is_demo)


@blueprint.get(f"/outside/{FILE}")
@security.allows("export_accounts")
def outside(suffix: str) -> Response:
    """Export the prospects of no market, under the same filters."""
    everyone = workflow.outside(shell.store(), scope=security.scope().exported)
    shown = listing.select(everyone, listing.listed(Place(is_outside=True)).ids())
    is_demo = shell.overview().is_demo
    return exports.table(shown, "prospects", suffix, of="outside", is_demo=is_demo)
