"""Exports of a list: files of exactly what the filters show, and the market book."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from flask import Blueprint, Response, render_template, request
from markupsafe import Markup

from territory import reports
from territory.errors import InputError
from territory.labels import SEGMENT
from territory.reports import Symbol, cover_map, cover_map_svg, in_order
from territory.reports import exports as exporting
from webmap import context, security
from webmap.pages import downloads, layout
from webmap.prospects import current_snapshot, facets
from webmap.prospects.query_string import ListScope

if TYPE_CHECKING:
    from territory.reports import Drawing
    from webmap.prospects.facets import ListPage

blueprint = Blueprint("taking", __name__)

# Suffix, what people call the format, what it is for, and whether it is a map.
FORMATS = (
    ("csv", "CSV", "a table for any program", False),
    ("xlsx", "Excel", "a workbook", False),
    ("geojson", "GeoJSON", "for maps on the web", True),
    ("kml", "KML", "for Google Earth", True),
    ("gpkg", "GeoPackage", "for QGIS and ArcGIS", True),
)
PAPERS = {"letter": "Letter", "a4": "A4"}
FILE = f"prospects.<any({', '.join(form for form, *_ in FORMATS)}):suffix>"


@dataclass(frozen=True)
class ExportMenu:
    """What may leave of a list: ``rows`` of ``shown``, ``located`` of these with a location."""

    list_page: ListPage
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

    @property
    def book(self) -> str | None:
        """The address of the market book; None where there is no market."""
        market_id = self.list_page.scope.market_id
        query = self.list_page.request.query(page=1)
        return layout.address("taking.book", query, market_id=market_id) if market_id else None

    def _address(self, form: str) -> str:
        scope, query = self.list_page.scope, self.list_page.request.query(page=1)
        if scope.is_outside:
            return layout.address("taking.outside", query, suffix=form)
        return layout.address("taking.prospects", query, market_id=scope.market_id, suffix=form)


def menu(list_page: ListPage) -> ExportMenu | None:
    """Count what of a list may leave as a file; None where nothing may."""
    if not security.may("export_accounts"):
        return None
    reps = current_snapshot.reach(security.scope().exported)
    selection = list_page.index.select(list_page.filters, reps)
    if not selection.total:
        return None
    located = int(np.count_nonzero(selection.mask[: list_page.index.snapshot.placed]))
    return ExportMenu(list_page, selection.total, located, list_page.selection.total)


@blueprint.get(f"/markets/<market_id>/{FILE}")
@security.allows("export_accounts", programs=True)
def prospects(market_id: str, suffix: str) -> Response:
    """Export what the filters show of a market, as far as it may leave, in a format of choice."""
    return _file(ListScope(market_id), suffix)


@blueprint.get(f"/outside/{FILE}")
@security.allows("export_accounts", programs=True)
def outside(suffix: str) -> Response:
    """Export the prospects of no market, under the same filters."""
    return _file(ListScope(is_outside=True), suffix)


def _file(list_scope: ListScope, suffix: str) -> Response:
    """Write the prospects of a list, with the next step and the last note of each.

    Which and in what order the snapshot says, as on the page; what stands in the file is read from
    the store, within ``Scope.exported``, by the same ``fields``.
    """
    scope = security.scope().exported
    market_id = list_scope.market_id
    if market_id is None:
        rows = reports.outside(context.store(), scope=scope)
    else:
        rows = reports.market(context.store(), market_id, scope=scope).prospects
    rows = in_order(rows, facets.list_page(list_scope).ids())
    rows = exporting.complete(context.store(), "prospects", rows, scope=scope)
    is_demo = layout.overview().is_demo
    return downloads.table(rows, "prospects", suffix, of=market_id or "outside", is_demo=is_demo)


@blueprint.get("/markets/<market_id>/book")
@security.allows("export_accounts")
def book(market_id: str) -> str:
    """Show a market on pages to print, of what the filters show and may leave."""
    list_page = facets.list_page(ListScope(market_id))
    market_book = reports.gather(
        context.store(),
        market_id,
        scope=security.scope(),
        day=context.settings().today().isoformat(),
        choice=_choice(list_page),
    )
    exporting.record(
        context.store(),
        "book",
        rows=len(market_book.prospects),
        form="page",
        by=security.person(),
        now=context.now(),
        of=market_id,
    )
    query = list_page.request.query(page=1)
    title = f"Map of {market_book.market.name}"
    return render_template(
        "prospects/book.html",
        place="ops.home",
        book=market_book,
        map=Markup(cover_map_svg.as_svg(market_book.drawing, title=title)),  # noqa: S704
        marks=_marks(market_book.drawing),
        back=layout.address("rep.market", query, market_id=market_id),
        files=[
            (words, layout.address("taking.book_file", query, market_id=market_id, paper=paper))
            for paper, words in PAPERS.items()
        ],
    )


@blueprint.get("/markets/<market_id>/book.pdf")
@security.allows("export_accounts", programs=True)
def book_file(market_id: str) -> Response:
    """Export the same as PDF, on the paper that is asked for."""
    list_page = facets.list_page(ListScope(market_id))
    paper = request.args.get("paper", "letter")
    if paper not in PAPERS:
        raise InputError(f"paper: {paper!r} is none of {', '.join(PAPERS)}.")
    with ExitStack() as stack:
        path = downloads.folder(stack) / "book.pdf"
        reports.export_book(
            context.store(),
            market_id,
            path,
            scope=security.scope(),
            by=security.person(),
            now=context.now(),
            choice=_choice(list_page),
            paper=paper,
        )
        is_demo = layout.overview().is_demo
        return downloads.download(path, f"book-{market_id}", stack.pop_all(), is_demo=is_demo)


def _choice(list_page: ListPage) -> reports.Choice:
    """Say in words what the filters chose."""
    list_request = list_page.request
    return reports.Choice(
        tuple(list_page.ids()),
        list_page.everyone.total,
        tuple(list_page.words_of(name) for name in list_request.active),
        facets.order_words(list_request.sort),
    )


def _marks(drawing: Drawing) -> list[tuple[Markup, str]]:
    """Give the legend of a map: each mark and what it means."""
    grey = "#46525f"
    marks = [
        (cover_map_svg.svg_symbol(Symbol(6, 6, shape, grey, 9)), cover_map.SHAPES[shape])
        for shape in drawing.shapes_used
    ]
    for one in drawing.segments_used:
        colour = cover_map.SEGMENT_COLOURS[one]
        marks.append((cover_map_svg.svg_symbol(Symbol(6, 6, "circle", colour, 9)), SEGMENT[one]))
    marks.append((f'<g transform="scale(3)">{cover_map_svg.svg_office(2, 2)}</g>', "Office"))
    dash = f'<path d="M0 6h12" stroke="{grey}" stroke-width="1.500" stroke-dasharray="3 2"/>'
    return [(Markup(mark), words) for mark, words in (*marks, (dash, drawing.ring_words))]  # noqa: S704
