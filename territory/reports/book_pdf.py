"""Write the book of a market as PDF: vector map, tables whose heads repeat, a foot on every page.

The typeface is Source Sans Pro, of which the file carries the part that it uses. It has Latin,
Greek and Cyrillic letters; of any other character, such as Chinese or emoji, stands a box, and the
last page says in how many accounts.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from fpdf import FPDF
from fpdf.enums import PathPaintRule
from fpdf.fonts import TTFFont

from territory.errors import InputError
from territory.files import replacing
from territory.labels import SEGMENT
from territory.reports import exports
from territory.reports.book import gather
from territory.reports.cover_map import (
    CREDIT,
    OFFICE_MM,
    SEGMENT_COLOURS,
    SHAPES,
    STYLES,
    Label,
    Symbol,
)
from territory.reports.exports import Taken

if TYPE_CHECKING:
    from pathlib import Path

    from fpdf.drawing import PaintedPath

    from territory.access import Scope
    from territory.reports.book import Account, Book, Choice, Table
    from territory.reports.cover_map import Drawing, Shape
    from territory.store import Store

PAPERS = ("letter", "a4")
MARGIN = 14.0  # mm
FOOT = 16.0
BOX = "\u2610"  # stands for a character that the typeface lacks
INK, GREY, FAINT, ACCENT, HAIR = "#17202c", "#46525f", "#5d6875", "#3949c6", "#c9cfd6"
PT_MM = 25.4 / 72
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


class Paper(FPDF):
    """Pages with a foot, and the few ways in which a book puts words on them."""

    def __init__(self, book: Book, paper: str) -> None:
        super().__init__(format=paper)
        self.c_margin = 0
        self.book = book
        self._widths: dict[tuple[str, str], float] = {}
        folder = files("font_source_sans_pro") / "files"
        self._known: dict[str, set[int]] = {}
        for style, face in (("", "Regular"), ("B", "Semibold")):
            self.add_font("sans", style, str(folder / f"SourceSansPro-{face}.ttf"))
            font = self.fonts[f"sans{style}"]
            assert isinstance(font, TTFFont)  # noqa: S101  it was read from a file of that kind
            self._known[style] = set(font.cmap)
        self.set_margins(MARGIN, MARGIN)
        self.set_auto_page_break(False)
        self.alias_nb_pages()

    @property
    def width(self) -> float:
        """How wide the text is, in mm."""
        return float(self.w) - 2 * MARGIN

    @property
    def bottom(self) -> float:
        """Where the foot begins, in mm from the top."""
        return float(self.h) - FOOT

    def footer(self) -> None:
        """Say on each page of what it is, how many of how many, which plan and which day."""
        book, y = self.book, float(self.h) - 8
        self.line_at(y - 4.5)
        invented = " · Example: people and figures are invented" if book.plan.is_demo else ""
        told = f"{book.market.name} · {book.count} · {book.plan_words} · {book.day}{invented}"
        size = 7.5
        room = self.width - 22
        while size > 5 and self.length(self.clean(told), size) > room:
            size -= 0.5
        self.put(MARGIN, y, told, size, colour=FAINT)
        self.set_font("sans", "", 7.5)
        self.set_text_color(FAINT)
        self.set_xy(MARGIN + self.width - 22, y - 2.7)
        self.cell(22, 4, f"Page {self.page} of {{nb}}", align="R")

    def clean(self, text: str, style: str = "") -> str:
        """Put a box for each character that the typeface lacks; blanks for breaks and controls."""
        plain = " ".join(unicodedata.normalize("NFC", text).split())
        known = self._known[style]
        return "".join(one if ord(one) in known else BOX for one in plain)

    def length(self, text: str, size: float, style: str = "") -> float:
        """Say how long a text is, in mm."""
        found = self._widths.get((style, text))
        if found is None:
            self.set_font("sans", style, 10)
            found = self._widths[style, text] = float(self.get_string_width(text)) / 10
        return found * size

    def put(
        self, x: float, y: float, text: str, size: float, *,
        style: str = "", colour: str = INK, align: str = "start",
    ) -> None:  # fmt: skip
        """Write one line whose baseline is at ``y``."""
        clean = self.clean(text, style)
        if align != "start":
            long = self.length(clean, size, style)
            x -= long if align == "end" else long / 2
        self.set_font("sans", style, size)
        self.set_text_color(colour)
        self.text(x, y, clean)

    def wrap(self, text: str, size: float, room: float, style: str = "") -> list[str]:
        """Break a text into lines of ``room`` mm; a word that is longer is broken too."""
        blank, lines, line, used = self.length(" ", size, style), [], "", 0.0
        for word in self._words(self.clean(text, style), size, room, style):
            long = self.length(word, size, style)
            if line and used + blank + long > room:
                lines.append(line)
                line, used = word, long
            else:
                used += (blank if line else 0.0) + long
                line = f"{line} {word}" if line else word
        return [*lines, line] if line else lines

    def _words(self, text: str, size: float, room: float, style: str) -> list[str]:
        found = []
        for word in text.split(" "):
            rest = word
            while len(rest) > 1 and self.length(rest, size, style) > room:
                at = max(1, int(len(rest) * room / self.length(rest, size, style)) - 1)
                found.append(rest[:at])
                rest = rest[at:]
            found.append(rest)
        return found

    def lines_at(
        self, x: float, y: float, lines: list[str], size: float, *,
        style: str = "", colour: str = INK, align: str = "start",
    ) -> float:  # fmt: skip
        """Write lines below each other and give where the next would be."""
        for line in lines:
            self.put(x, y, line, size, style=style, colour=colour, align=align)
            y += size * PT_MM * 1.25
        return y

    def line_at(self, y: float, colour: str = HAIR) -> None:
        """Draw a hairline across the text."""
        self.set_draw_color(colour)
        self.set_line_width(0.2)
        self.line(MARGIN, y, MARGIN + self.width, y)

    def room_for(self, y: float, height: float) -> float:
        """Give where to go on: here, or at the top of a new page."""
        if y + height <= self.bottom:
            return y
        self.add_page()
        return MARGIN + 4


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
    entries: list[tuple[Any, str]] = [
        (Symbol(0, 0, shape, GREY, 2.2), SHAPES[shape]) for shape in drawing.shapes_used
    ]
    entries += [
        (Symbol(0, 0, "circle", SEGMENT_COLOURS[one], 2.2), SEGMENT[one])
        for one in drawing.segments_used
    ]
    entries += [("office", "Office"), ("ring", drawing.ring_words)]
    for mark, words in entries:
        long = pages.length(words, 8) + 9
        if x + long > MARGIN + pages.width:
            x, y = MARGIN, y + 4.6
        _mark(pages, mark, x + 2, y - 1)
        pages.put(x + 5, y, words, 8, colour=GREY)
        x += long
    told = f"{drawing.sentence} Symbols that share a place stand side by side round it."
    pages.lines_at(MARGIN, y + 5, pages.wrap(told, 8, pages.width), 8, colour=FAINT)


def _mark(pages: Paper, mark: Any, x: float, y: float) -> None:
    if mark == "office":
        _office(pages, x, y, 0.7)
    elif mark == "ring":
        with pages.local_context(dash_pattern={"dash": 1.0, "gap": 0.7}):
            pages.set_draw_color(GREY)
            pages.set_line_width(0.3)
            pages.line(x - 1.8, y, x + 1.8, y)
    else:
        _symbol(pages, mark.shape, mark.colour, x, y, mark.size)


def _map(pages: Paper, drawing: Drawing, x: float, y: float, scale: float) -> None:
    with pages.rect_clip(x, y, drawing.width * scale, drawing.height * scale):
        for shape in drawing.shapes:
            _shape(pages, shape, x, y, scale)
        for label in drawing.labels:
            if not label.is_bold:
                _label(pages, label, x, y, scale)
        for symbol in drawing.symbols:
            sx, sy = x + symbol.x * scale, y + symbol.y * scale
            _symbol(pages, symbol.shape, symbol.colour, sx, sy, symbol.size * scale)
        for ox, oy in drawing.offices:
            _office(pages, x + ox * scale, y + oy * scale, scale)
        for label in drawing.labels:
            if label.is_bold:
                _label(pages, label, x, y, scale)
        low = drawing.height - 4
        pages.set_draw_color(INK)
        pages.set_line_width(0.4)
        left, base = x + 4 * scale, y + low * scale
        right = left + drawing.scale_mm * scale
        pages.polyline([(left, base - 1.5), (left, base), (right, base), (right, base - 1.5)])
        _label(pages, Label(4, low - 2.4, drawing.scale_words, colour=INK), x, y, scale)
        credit = Label(drawing.width - 2, drawing.height - 1.6, CREDIT, anchor="end", size=2.2)
        _label(pages, credit, x, y, scale)


def _shape(pages: Paper, shape: Shape, x: float, y: float, scale: float) -> None:
    style = STYLES[shape.kind]
    if not shape.lines:
        return
    with pages.new_path() as path:
        path.style.fill_color = style.fill
        path.style.stroke_color = style.stroke
        path.style.stroke_width = style.width * scale
        path.style.auto_close = False
        path.style.paint_rule = PathPaintRule.FILL_EVENODD if style.fill else PathPaintRule.STROKE
        if style.dash:
            path.style.stroke_dash_pattern = [part * scale for part in style.dash]
        for line in shape.lines:
            _trace(path, [(x + px * scale, y + py * scale) for px, py in line.tolist()])


def _trace(path: PaintedPath, points: list[tuple[float, float]]) -> None:
    path.move_to(*points[0])
    for point in points[1:]:
        path.line_to(*point)


def _symbol(pages: Paper, shape: str, colour: str, x: float, y: float, size: float) -> None:
    half, line = size / 2, size * 0.24
    if shape == "cross":
        pages.set_draw_color(colour)
        pages.set_line_width(line)
        reach = half * 0.8
        pages.line(x - reach, y - reach, x + reach, y + reach)
        pages.line(x - reach, y + reach, x + reach, y - reach)
        return
    is_hollow = shape.startswith("hollow")
    pages.set_draw_color(colour if is_hollow else "#ffffff")
    pages.set_fill_color("#ffffff" if is_hollow else colour)
    pages.set_line_width(line if is_hollow else 0.15)
    radius = half - line / 2 if is_hollow else half
    if shape.endswith("circle"):
        pages.circle(x, y, radius, style="DF")
    else:
        pages.rect(x - radius, y - radius, 2 * radius, 2 * radius, style="DF")


def _office(pages: Paper, x: float, y: float, scale: float) -> None:
    pages.set_fill_color(INK)
    pages.set_draw_color("#ffffff")
    pages.set_line_width(0.3 * scale)
    side = OFFICE_MM * scale
    pages.rect(
        x - side / 2, y - side / 2, side, side, style="DF", round_corners=True,
        corner_radius=0.6 * scale,
    )  # fmt: skip
    pages.set_fill_color("#ffffff")
    pages.rect(x - 0.7 * scale, y - 0.8 * scale, 1.4 * scale, 1.7 * scale, style="F")


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
    told = pages.wrap(f"{book.count}. {book.chosen_words}", 8.5, pages.width)
    y = pages.lines_at(MARGIN, MARGIN + 9, told, 8.5, colour=GREY)
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
