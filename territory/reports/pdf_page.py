"""PDF page of a market book: typeface, foot, and the few ways in which words are put on it.

The typeface is Source Sans Pro, of which the file carries the part that it uses. It has Latin,
Greek and Cyrillic letters; of any other character, such as Chinese or emoji, stands a box.
"""

from __future__ import annotations

import unicodedata
from importlib.resources import files
from typing import TYPE_CHECKING

from fpdf import FPDF
from fpdf.fonts import TTFFont

if TYPE_CHECKING:
    from territory.reports.book import Book

MARGIN = 14.0  # mm
FOOT = 16.0
BOX = "\u2610"  # stands for a character that the typeface lacks
INK, GREY, FAINT, HAIR = "#17202c", "#46525f", "#5d6875", "#c9cfd6"
PT_MM = 25.4 / 72


class Paper(FPDF):
    """Pages with a foot, and the few ways in which a book puts words on them."""

    def __init__(self, book: Book, paper: str) -> None:
        super().__init__(format=paper)
        self.c_margin = 0
        self.book = book
        self._widths: dict[tuple[str, str], float] = {}
        folder = files("font_source_sans_pro") / "files"
        self._characters: dict[str, set[int]] = {}
        for style, face in (("", "Regular"), ("B", "Semibold")):
            self.add_font("sans", style, str(folder / f"SourceSansPro-{face}.ttf"))
            font = self.fonts[f"sans{style}"]
            assert isinstance(font, TTFFont)  # noqa: S101  it was read from a file of that kind
            self._characters[style] = set(font.cmap)
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
        foot = f"{book.market.name} · {book.count} · {book.plan_words} · {book.day}{invented}"
        size = 7.5
        room = self.width - 22
        while size > 5 and self.length(self.clean(foot), size) > room:
            size -= 0.5
        self.put(MARGIN, y, foot, size, colour=FAINT)
        self.set_font("sans", "", 7.5)
        self.set_text_color(FAINT)
        self.set_xy(MARGIN + self.width - 22, y - 2.7)
        self.cell(22, 4, f"Page {self.page} of {{nb}}", align="R")

    def clean(self, text: str, style: str = "") -> str:
        """Put a box for each character that the typeface lacks; blanks for breaks and controls."""
        plain = " ".join(unicodedata.normalize("NFC", text).split())
        characters = self._characters[style]
        return "".join(one if ord(one) in characters else BOX for one in plain)

    def length(self, text: str, size: float, style: str = "") -> float:
        """Say how long a text is, in mm."""
        width = self._widths.get((style, text))
        if width is None:
            self.set_font("sans", style, 10)
            width = self._widths[style, text] = float(self.get_string_width(text)) / 10
        return width * size

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
        words = []
        for word in text.split(" "):
            rest = word
            while len(rest) > 1 and self.length(rest, size, style) > room:
                at = max(1, int(len(rest) * room / self.length(rest, size, style)) - 1)
                words.append(rest[:at])
                rest = rest[at:]
            words.append(rest)
        return words

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
