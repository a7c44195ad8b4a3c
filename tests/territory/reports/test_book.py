"""The book of a market: read back, it holds the accounts in order, within reach, and says why."""

from __future__ import annotations

import dataclasses
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pypdf
import pytest
from click.testing import CliRunner

from territory import reference, reports
from territory.access import Reach, Scope, audit_log
from territory.cli.export import PAPERS
from territory.cli.main import cli
from territory.errors import InputError, NotFoundError
from territory.geodesy import inverse
from territory.reports import book, book_pdf, cover_map, cover_map_svg

if TYPE_CHECKING:
    from pathlib import Path

    from territory.reports import Book
    from territory.store import Store

ALL = Scope.everything()
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = "2026-11-23"
HOSTILE = (
    "株式会社 日立", "Emoji 😀 Inc.", "Łódź Ünïcödé ŞŞ", "مرحبا\u202e", "A" * 300, "{nb} **b** <b>",
    "e\u0301cole", "\x01\x02", "",
)  # fmt: skip


@pytest.fixture
def bay(demo_store: Store) -> Book:
    return book.gather(demo_store, "M-BAY", scope=ALL, day=DAY)


def pages(path: Path) -> list[str]:
    """The words of each page, one blank between any two."""
    return [" ".join(page.extract_text().split()) for page in pypdf.PdfReader(path).pages]


def test_every_account_is_in_the_file_in_order_with_why_it_is_whose_it_is(
    bay: Book, tmp_path: Path
) -> None:
    book_pdf.write(bay, tmp_path / "b.pdf")
    told = pages(tmp_path / "b.pdf")
    listed = " ".join(told[next(at for at, text in enumerate(told) if "Accounts 98" in text) :])
    found = [(int(n), listed.index(f" {n} {name} ")) for n, name in numbered(bay)]
    assert [number for number, _ in sorted(found, key=lambda one: one[1])] == list(range(1, 99))
    for reason in bay.prospects["reason"]:
        assert " ".join(reason.split()) in re.sub(FOOT, "", listed)


FOOT = r" San Francisco Bay · 98 of 98 .*? Page \d+ of \d+ # Company .*? Rep"


def numbered(made: Book) -> list[tuple[int, str]]:
    return [(one.number, one.name) for one in made.accounts()]


def test_each_page_says_of_what_plan_and_day_it_is_and_how_many_of_how_many(
    bay: Book, tmp_path: Path
) -> None:
    book_pdf.write(bay, tmp_path / "b.pdf")
    told = pages(tmp_path / "b.pdf")
    for number, text in enumerate(told, 1):
        assert f"San Francisco Bay · 98 of 98 prospects · {bay.plan_words} · {DAY}" in text
        assert f"Page {number} of {len(told)}" in text
        assert "people and figures are invented" in text
    heads = [text for text in told if "# Company Segment, status" in text]
    assert len(heads) > 3, "the head of the list is on each of its pages"


def test_the_profile_in_the_book_is_the_profile_of_the_market(bay: Book, tmp_path: Path) -> None:
    book_pdf.write(bay, tmp_path / "b.pdf")
    told = " ".join(pages(tmp_path / "b.pdf"))
    for table in bay.tables():
        assert table.title in told
        for row in table.rows:
            assert " ".join(" ".join(row).replace("\N{NO-BREAK SPACE}", " ").split()) in told
    by_industry = next(table for table in bay.tables() if table.title == "By industry")
    assert sum(int(row[1].replace(",", "")) for row in by_industry.rows) == 98


def test_default_order_is_the_best_score_first(bay: Book) -> None:
    from territory.prospects import score

    points = score.score(bay.prospects, bay.plan.policy.score, DAY)
    assert list(points) == sorted(points, reverse=True)
    assert len(set(points)) > 10


def test_a_choice_keeps_its_order_and_says_how_it_was_made(
    demo_store: Store, bay: Book, tmp_path: Path
) -> None:
    ids = tuple(bay.prospects["prospect_id"].iloc[[5, 2, 9]])
    choice = reports.Choice((*ids, "not-there"), 98, ("Enterprise",), "by company")
    made = book.gather(demo_store, "M-BAY", scope=ALL, day=DAY, choice=choice)
    assert tuple(made.prospects["prospect_id"]) == ids
    book_pdf.write(made, tmp_path / "b.pdf")
    told = pages(tmp_path / "b.pdf")
    assert "3 of 98 prospects" in told[0]
    assert "Filters: Enterprise. Ordered by company." in told[0]
    assert "3 of 3 prospects are drawn." in told[0]


def test_an_empty_choice_is_a_book_that_says_so(demo_store: Store, tmp_path: Path) -> None:
    choice = reports.Choice((), 98, ("Nothing",), "by company")
    made = book.gather(demo_store, "M-BAY", scope=ALL, day=DAY, choice=choice)
    book_pdf.write(made, tmp_path / "b.pdf")
    assert "No account passes the filters." in pages(tmp_path / "b.pdf")[-1]


@pytest.mark.parametrize("paper", PAPERS)
def test_the_command_writes_a_book_and_puts_it_on_record(
    demo_store: Store, tmp_path: Path, paper: str
) -> None:
    path = tmp_path / "bay.pdf"
    result = CliRunner(env={"TERRITORY_STORE": demo_store.url}).invoke(
        cli, ["export", "book", "M-BAY", str(path), "--paper", paper]
    )
    assert result.output == f"98 rows in {path}. 98 of 98 have a location.\n"
    box = pypdf.PdfReader(path).pages[0].mediabox
    assert round(float(box.width)) == {"letter": 612, "a4": 595}[paper]
    event = audit_log.search(demo_store, action="rows.export", limit=1)[0].iloc[0]
    assert (event["subject_kind"], event["subject_id"]) == ("book", "M-BAY")
    assert json.loads(event["payload"])["detail"] == {"format": "pdf", "rows": 98}
    assert cli.commands["export"].commands["book"].params[2].type.choices == book_pdf.PAPERS


def test_a_rep_takes_own_accounts_alone_and_no_name_of_another(
    demo_store: Store, bay: Book, tmp_path: Path
) -> None:
    rep_id = bay.prospects["rep_id"].value_counts().index[0]
    mine = Reach(rep_ids=frozenset({rep_id}))
    scope = Scope(mine, mine, mine, mine)
    path = tmp_path / "own.pdf"
    taken = reports.export_book(demo_store, "M-BAY", path, scope=scope, by="user-7", now=NOW)
    own = bay.prospects[bay.prospects["rep_id"] == rep_id]
    assert 0 < taken.rows == len(own) < len(bay.prospects)
    told = " ".join(pages(path))
    others = set(bay.prospects["name"]) - set(own["name"])
    assert not [name for name in others if f" {name} " in told]
    reps = set(bay.prospects["rep_name"].dropna()) - set(own["rep_name"])
    assert reps
    assert not [name for name in reps if name in told]


def test_a_book_is_of_what_may_leave_not_of_what_shows(demo_store: Store) -> None:
    mine = Reach(rep_ids=frozenset({"R01"}))
    scope = dataclasses.replace(ALL, exports=mine, sums=Reach())
    market_id = (
        reports.EXPORTS["prospects"](demo_store, scope=Scope(mine, exports=mine))["market_id"]
        .dropna()
        .iloc[0]
    )
    made = book.gather(demo_store, market_id, scope=scope, day=DAY)
    assert set(made.prospects["rep_id"]) == {"R01"}
    assert made.profile.readable == len(made.prospects)


def test_what_cannot_be_a_book_is_refused_and_not_on_record(
    demo_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, before = audit_log.search(demo_store, action="rows.export")
    asked = {"scope": ALL, "by": "me", "now": NOW}
    with pytest.raises(NotFoundError, match="No market 'M-NONE'"):
        reports.export_book(demo_store, "M-NONE", tmp_path / "b.pdf", **asked)
    with pytest.raises(InputError, match=r"\.pdf at the end"):
        reports.export_book(demo_store, "M-BAY", tmp_path / "b.doc", **asked)
    monkeypatch.setattr(book, "MOST_ACCOUNTS", 97)
    with pytest.raises(InputError, match="98 accounts is more than 97"):
        reports.export_book(demo_store, "M-BAY", tmp_path / "b.pdf", **asked)
    assert audit_log.search(demo_store, action="rows.export")[1] == before
    assert not list(tmp_path.glob("b.*"))


def test_names_of_any_script_make_a_book_that_says_what_it_could_not_set(
    bay: Book, tmp_path: Path
) -> None:
    frame = bay.prospects.head(len(HOSTILE)).reset_index(drop=True)
    frame["name"] = HOSTILE
    frame["reason"] = HOSTILE[::-1]
    made = dataclasses.replace(
        bay, prospects=frame, market=dataclasses.replace(bay.market, name="東京 <b>&{nb}")
    )
    book_pdf.write(made, tmp_path / "b.pdf")
    told = " ".join(pages(tmp_path / "b.pdf"))
    assert "Łódź Ünïcödé ŞŞ" in told
    assert "école" in told
    assert "{nb} **b** <b>" in told
    assert f"{book_pdf.BOX * 4} {book_pdf.BOX * 2}" in told
    assert re.search(r"\d of 9 accounts hold characters that the typeface of this book lacks", told)


def test_the_ring_on_the_map_is_as_wide_as_the_scale_says(bay: Book) -> None:
    drawing = bay.drawing
    miles = float(drawing.scale_words.split()[0])
    (ring,) = (shape for shape in drawing.shapes if shape.kind == "ring")
    office = np.array(drawing.offices[0])
    far = np.concatenate([np.hypot(*(line - office).T) for line in ring.lines])
    assert far * miles / drawing.scale_mm == pytest.approx(50, rel=0.005)


def test_symbols_stand_where_their_prospects_are(bay: Book) -> None:
    frame = pd.DataFrame(
        {"lon": [-122.42, -121.9], "lat": [37.3, 37.9], "status": "prospect", "segment": "small",
         "stage": [None, "Proposal"]}
    )  # fmt: skip
    drawing = cover_map.draw(
        bay.market.geometry, bay.market.offices, frame, reference.load(),
        limit_m=bay.market.radius_m, width=200, height=160,
    )  # fmt: skip
    one, two = drawing.symbols
    assert (one.shape, two.shape) == ("hollow circle", "circle")
    apart = np.hypot(two.x - one.x, two.y - one.y)
    miles = float(drawing.scale_words.split()[0])
    true = inverse([-122.42], [37.3], [-121.9], [37.9])[0] / 1609.344
    assert apart * miles / drawing.scale_mm == pytest.approx(true, rel=0.01)
    assert two.x > one.x
    assert two.y < one.y


def test_what_is_not_on_the_map_is_counted_in_words(bay: Book) -> None:
    frame = bay.prospects.head(4).copy()
    frame.loc[frame.index[0], ["lon", "lat"]] = np.nan
    frame.loc[frame.index[1], ["lon", "lat"]] = [0.0, 0.0]
    drawing = cover_map.draw(
        bay.market.geometry, bay.market.offices, frame, reference.load(),
        limit_m=bay.market.radius_m, width=200, height=160,
    )  # fmt: skip
    assert drawing.sentence == (
        "2 of 4 prospects are drawn; 1 without a location and 1 beyond the frame."
    )
    assert len(drawing.symbols) == 2


def test_prospects_that_share_a_place_are_all_seen(bay: Book) -> None:
    spots = {(symbol.x, symbol.y) for symbol in bay.drawing.symbols}
    assert len(spots) == len(bay.drawing.symbols) == bay.drawing.located == 98
    assert len(bay.prospects[["lon", "lat"]].drop_duplicates()) < 98


def test_a_drawing_as_svg_escapes_every_name(bay: Book) -> None:
    hostile = "<script>alert(1)</script>\"'&"
    offices = bay.market.offices.assign(name=hostile)
    drawing = cover_map.draw(
        bay.market.geometry, offices, bay.prospects, reference.load(),
        limit_m=bay.market.radius_m, width=200, height=160,
    )  # fmt: skip
    svg = cover_map_svg.as_svg(drawing, title=hostile)
    assert "<script" not in svg
    assert "&lt;script&gt;" in svg
    assert " style=" not in svg


@pytest.mark.parametrize("market_id", ["M-OHV", "M-STL", "M-CHI", "M-RTP"])
def test_markets_of_every_kind_are_drawn(demo_store: Store, market_id: str) -> None:
    made = book.gather(demo_store, market_id, scope=ALL, day=DAY)
    kinds = {shape.kind for shape in made.drawing.shapes if shape.lines}
    assert {"water", "land", "market_land", "county", "market", "frame"} <= kinds
    assert made.drawing.located == len(made.drawing.symbols) + made.drawing.beyond
