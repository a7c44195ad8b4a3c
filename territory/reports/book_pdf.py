"""Market book as PDF: vector map, tables whose heads repeat, every account with its reason.

A character that the typeface lacks is a box; the last page says in how many accounts.
"""

from __future__ import annotations

import datetime as dt
from io import BytesIO
from typing import TYPE_CHECKING

from territory.errors import InputError
from territory.files import replacing
from territory.labels import SEGMENT
from territory.reports import exports
from territory.reports.book import gather
from territory.reports.cover_map import SEGMENT_COLOURS, SHAPES, Symbol
from territory.reports.cover_map_svg import (
    ground,
    map_labels,
    marks,
    picture,
    svg_office,
    svg_symbol,
)
from territory.reports.exports import Taken
from territory.reports.pdf_page import BOX, FAINT, GREY, INK, MARGIN, PT_MM, Paper

if TYPE_CHECKING:
    from pathlib import Path

    from territory.access import Scope
    from territory.reports.book import Account, Book, Choice, Table
    from territory.reports.cover_map import Drawing, Label
    from territory.store import Store

PAPERS = ("letter", "a4")
# Of the accounts: title, share of the width, whether numbers stand in it.
COLUMNS = (
    ("#", 0.045, True),
    ("Company", 0.305, False),
    ("Segment, status", 0.155, False),
    ("Nearest office", 0.13, True),
    ("Employees", 0.095, True),
    ("Opportunity", 0.14, True),
    ("Rep", 0.13, False),
)


def export_book(
    store: Store,
    market_id: str,
    path: Path,
    *,
    scope: Scope,
    by: str,
    now: dt.datetime,
    choice: Choice | None = None,
    paper: str = PAPERS[0],
) -> Taken:
    """Write the book of a market as PDF, once it is on record.

    ``choice`` and errors are those of ``book.gather``, ``paper`` is one of ``PAPERS``.

    Raises
    ------
    InputError
        If the file is not named .pdf.
    """
    if path.suffix.lower() != ".pdf":
        raise InputError(f"{path}: a book is a PDF. Name the file with .pdf at the end.")
    day = now.astimezone(dt.UTC).date().isoformat()
    book = gather(store, market_id, scope=scope, day=day, choice=choice)
    rows = len(book.prospects)
    exports.record(store, "book", rows=rows, form="pdf", by=by, now=now, of=market_id)
    write(book, path, paper=paper)
    return Taken(rows, book.drawing.located, path)


def write(book: Book, path: Path, *, paper: str = PAPERS[0]) -> None:
    """Write a book; an older file is replaced only by a whole one.

    Raises
    ------
    FileFormatError
        If the file cannot be written.
    """
    pages = Paper(book, paper)
    made_on = dt.datetime.fromisoformat(book.day).replace(tzinfo=dt.UTC)
    pages.set_title(f"{book.market.name}: {book.count}")
    pages.set_lang("en-US")
    pages.set_creation_date(made_on)
    pages.set_creator("territory")
    _cover(pages, book)
    _profile(pages, book)
    _accounts(pages, book)
    with replacing(path) as temporary:
        pages.output(str(temporary))


def _cover(pages: Paper, book: Book) -> None:
    pages.add_page()
    pages.start_section("Cover")
    y = MARGIN + 8
    y = pages.lines_at(MARGIN, y, pages.wrap(book.market.name, 24, pages.width, "B"), 24, style="B")
    pages.put(MARGIN, y - 3, f"{book.count} · {book.plan_words}", 11, colour=GREY)
    y = pages.lines_at(
        MARGIN, y + 2.5, pages.wrap(book.chosen_words, 9, pages.width), 9, colour=GREY
    )
    if book.plan.notice:
        y = pages.lines_at(MARGIN, y, pages.wrap(book.plan.notice, 9, pages.width), 9, colour=GREY)
    y += 4
    step = pages.width / len(book.figures)
    for at, (what, value, of) in enumerate(book.figures):
        x = MARGIN + at * step
        pages.put(x, y, what, 8, colour=FAINT)
        pages.put(x, y + 6.5, value, 16, style="B")
        pages.put(x, y + 10.5, of, 8, colour=FAINT)
    y += 15
    scale = pages.width / book.drawing.width
    _map(pages, book.drawing, MARGIN, y, scale)
    _legend(pages, book.drawing, y + book.drawing.height * scale + 5)


def _legend(pages: Paper, drawing: Drawing, y: float) -> None:
    """Explain the symbols that are on the map, and say how many of how many are."""
    x = MARGIN
    entries = [
        (svg_symbol(Symbol(2, 2, shape, GREY, 2.2)), SHAPES[shape]) for shape in drawing.shapes_used
    ]
    entries += [
        (svg_symbol(Symbol(2, 2, "circle", SEGMENT_COLOURS[one], 2.2)), SEGMENT[one])
        for one in drawing.segments_used
    ]
    dash = 'stroke-width="0.3" stroke-dasharray="1 0.7"'
    ring = f'<path d="M0.2 2h3.6" fill="none" stroke="{GREY}" {dash}/>'
    office = f'<g transform="translate(0.6 0.6) scale(0.7)">{svg_office(2, 2)}</g>'
    entries += [(office, "Office"), (ring, drawing.ring_words)]
    for mark, words in entries:
        long = pages.length(words, 8) + 9
        if x + long > MARGIN + pages.width:
            x, y = MARGIN, y + 4.6
        pages.image(BytesIO(picture(4, 4, [mark])), x, y - 3, w=4)
        pages.put(x + 5, y, words, 8, colour=GREY)
        x += long
    sentence = f"{drawing.sentence} Symbols that share a place stand side by side round it."
    pages.lines_at(MARGIN, y + 5, pages.wrap(sentence, 8, pages.width), 8, colour=FAINT)


def _map(pages: Paper, drawing: Drawing, x: float, y: float, scale: float) -> None:
    """Draw the map by its SVG, but for the labels: those take the typeface of the book."""
    size = drawing.width, drawing.height
    below, above = map_labels(drawing)
    with pages.rect_clip(x, y, drawing.width * scale, drawing.height * scale):
        for parts, labels in ((ground(drawing), below), (marks(drawing), above)):
            pages.image(BytesIO(picture(*size, parts)), x, y, w=drawing.width * scale)
            for label in labels:
                _label(pages, label, x, y, scale)


def _label(pages: Paper, label: Label, x: float, y: float, scale: float) -> None:
    """Write a label of a map over a halo of itself."""
    style, size = "B" if label.is_bold else "", label.size * scale / PT_MM
    px, py, halo = x + label.x * scale, y + label.y * scale, 0.25 * scale
    for dx, dy in ((-halo, 0), (halo, 0), (0, -halo), (0, halo)):
        pages.put(
            px + dx, py + dy, label.text, size, style=style, colour="#fbfaf7", align=label.anchor
        )
    pages.put(px, py, label.text, size, style=style, colour=label.colour, align=label.anchor)


def _profile(pages: Paper, book: Book) -> None:
    pages.add_page()
    pages.start_section("Profile")
    pages.put(MARGIN, MARGIN + 4, "Profile of the market", 14, style="B")
    y = MARGIN + 12
    for table in book.tables():
        y = _table(pages, table, y)


def _table(pages: Paper, table: Table, y: float) -> float:
    """Write a small table, in one piece where it fits a page, and give where the next begins."""
    size, step = 8.5, 5.0
    first = pages.width * (0.4 if len(table.head) > 2 else 0.7)
    rest = (pages.width - first) / (len(table.head) - 1)
    note = pages.wrap(table.note, 8, pages.width)
    needed = 6 + len(note) * 3.6 + (len(table.rows) + 1) * step
    y = pages.room_for(y, min(needed, pages.bottom - MARGIN - 4))
    pages.put(MARGIN, y, table.title, 10.5, style="B")
    y = pages.lines_at(MARGIN, y + 4.2, note, 8, colour=FAINT) + 0.8

    def line(cells: tuple[str, ...], y: float, style: str, colour: str) -> float:
        tall = y
        for at, cell in enumerate(cells):
            is_number = at >= table.numbers
            x = (
                MARGIN + first + at * rest
                if is_number
                else MARGIN + (first + (at - 1) * rest if at else 0)
            )
            room = (rest if at else first) - 2
            lines = pages.wrap(cell, size, room, style)
            end = pages.lines_at(
                x, y, lines, size, style=style, colour=colour, align="end" if is_number else "start"
            )
            tall = max(tall, end)
        return tall + 1.4

    y = line(table.head, y, "", GREY)
    pages.line_at(y - 4)
    for row in table.rows:
        if y + step > pages.bottom:
            y = line(table.head, pages.room_for(y, step), "", GREY)
            pages.line_at(y - 4)
        y = line(row, y, "", INK)
    return y + 4


def _accounts(pages: Paper, book: Book) -> None:
    pages.add_page()
    pages.start_section("Accounts")
    pages.put(MARGIN, MARGIN + 4, "Accounts", 14, style="B")
    lead = pages.wrap(f"{book.count}. {book.chosen_words}", 8.5, pages.width)
    y = pages.lines_at(MARGIN, MARGIN + 9, lead, 8.5, colour=GREY)
    y = _head(pages, y + 2)
    lacking = 0
    for account in book.accounts():
        cells = _cells(account)
        lacking += any(BOX in pages.clean(str(text)) for text in vars(account).values())
        made = [
            [
                (line, size, style, colour)
                for text, size, style, colour in cell
                for line in pages.wrap(text, size, pages.width * share - 2, style)
            ]
            for cell, (_, share, _) in zip(cells, COLUMNS, strict=True)
        ]
        reason = pages.wrap(account.reason, 7.5, pages.width * (1 - COLUMNS[0][1]))
        height = max(map(len, made)) * 3.6 + len(reason) * 3.3 + 2.4
        if y + height > pages.bottom:
            pages.add_page()
            y = _head(pages, MARGIN + 4)
        y = _row(pages, made, reason, y)
    if not len(book.prospects):
        pages.put(MARGIN, y, "No account passes the filters.", 9, colour=GREY)
        y += 6
    if lacking:
        note = (
            f"{lacking:,} of {len(book.prospects):,} accounts hold characters that the typeface of "
            f"this book lacks; {BOX} stands for each. Every file and page has them in full."
        )
        lines = pages.wrap(note, 8, pages.width)
        y = pages.room_for(y, 4 * len(lines))
        pages.lines_at(MARGIN, y + 2, lines, 8, colour=FAINT)


def _head(pages: Paper, y: float) -> float:
    """Write the head of the list, as on each of its pages, and give where the first row begins."""
    x = MARGIN
    for title, share, is_number in COLUMNS:
        room = pages.width * share
        at, align = (x + room - 2, "end") if is_number else (x, "start")
        pages.put(at, y, title, 8, style="B", colour=GREY, align=align)
        x += room
    pages.line_at(y + 1.6, GREY)
    return y + 5.6


def _row(
    pages: Paper, made: list[list[tuple[str, float, str, str]]], reason: list[str], y: float
) -> float:
    x, tall = MARGIN, max(map(len, made))
    for lines, (_, share, is_number) in zip(made, COLUMNS, strict=True):
        room = pages.width * share
        at, align = (x + room - 2, "end") if is_number else (x, "start")
        for row, (text, size, style, colour) in enumerate(lines):
            pages.put(at, y + row * 3.6, text, size, style=style, colour=colour, align=align)
        x += room
    y += tall * 3.6
    left = MARGIN + pages.width * COLUMNS[0][1]
    for line in reason:
        pages.put(left, y - 0.2, line, 7.5, colour=FAINT)
        y += 3.3
    pages.line_at(y - 1.8)
    return y + 2.4


def _cells(account: Account) -> tuple[tuple[tuple[str, float, str, str], ...], ...]:
    """Give the texts of each column, with size, style and colour."""
    plain, small = (8.5, "", INK), (7.5, "", GREY)
    place = " · ".join(filter(None, (account.place, account.industry)))
    return (
        ((str(account.number), 7.5, "", FAINT),),
        ((account.name, 9, "B", INK), (place, *small)),
        ((account.segment, *plain), (account.status, *small)),
        ((account.miles, *plain), (account.verdict, *small)),
        ((account.employees, *plain),),
        ((account.pipeline or account.stage, *plain), (account.stage, *small))
        if account.pipeline
        else ((account.stage, *small),),
        ((account.owner, *plain),),
    )
