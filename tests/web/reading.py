"""Read a page the way a person without a mouse does: its text, its tables, its links."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

VOID = {"meta", "link", "input", "br", "img"}


class Page(HTMLParser):
    """``text`` of everything, ``rows`` of all tables by the part they stand in, ``links``."""

    def __init__(self, response: TestResponse) -> None:
        super().__init__()
        self.said: list[str] = []
        self.rows: dict[str, list[list[str]]] = {"thead": [], "tbody": [], "tfoot": []}
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._part, self._cells, self._skip = "", False, 0
        self.feed(response.get_data(as_text=True))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        self._skip += tag in {"script", "style"}
        if tag in self.rows:
            self._part = tag
        elif tag == "tr":
            self.rows[self._part].append([])
        elif tag in {"td", "th"}:
            self.rows[self._part][-1].append("")
            self._cells = True
        elif tag == "a" and given.get("href"):
            self.links.append(str(given["href"]))

    def handle_endtag(self, tag: str) -> None:
        self._skip -= tag in {"script", "style"}
        if tag in {"td", "th"}:
            self._cells = False

    def handle_data(self, data: str) -> None:
        if self._skip:
            return
        self.said.append(data)
        if self._cells:
            self.rows[self._part][-1][-1] += f" {data.strip()}" if data.strip() else ""

    @property
    def text(self) -> str:
        """All words, one blank between any two."""
        return " ".join(" ".join(self.said).split())


def figure(cell: str) -> int:
    """Read the number a cell begins with: "1,084 of ..." is 1084."""
    return int(cell.split()[0].replace(",", ""))


def token(client: FlaskClient, path: str = "/ops/import") -> str:
    """Give the token of the forms of a page, as a browser that opened it has it."""
    return next(
        str(given["value"])
        for tag, given in Page(client.get(path)).tags
        if tag == "input" and given.get("name") == "csrf_token"
    )
