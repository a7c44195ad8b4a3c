"""The profile page tells the figures of the library, each chart beside its table."""

from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from territory import imports, reports
from territory.access import Scope
from territory.labels import money
from territory.store import open_store
from tests.fixtures.hostile import TEXTS
from tests.fixtures.web import NOW, make_app
from webmap.prospects import charts, profile

ROOT = Path(__file__).resolve().parents[3]
NYC = "/markets/M-NYC/profile"
NAMES = (*TEXTS, "</text><script>alert(1)</script>", "]]><img src=x onerror=alert(1)>", "a\x01b")


class Elements(HTMLParser):
    """Every element of a page with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("\N{NO-BREAK SPACE}", " ")


# Charts


@pytest.mark.parametrize("draw", [charts.bars, charts.lines])
def test_a_chart_holds_no_script_style_id_or_link_whatever_it_is_called(draw):
    drawn = draw(NAMES, [(NAMES[0], [1.0] * len(NAMES)), ("b", [0.5] * len(NAMES))], as_text=str)
    seen = Elements(drawn).found
    assert {tag for tag, _ in seen} <= {"svg", "g", "rect", "path", "text", "circle"}
    names = {name for _, attributes in seen for name in attributes}
    assert not names & {"style", "id", "href", "xlink:href", "onclick", "fill", "stroke"}
    assert not [name for name in names if name.startswith("on")]
    assert seen[0][1]["aria-hidden"] == "true"
    assert "http" not in drawn


def test_a_bar_is_as_long_as_its_value():
    drawn = Elements(charts.bars(["a", "b", "c"], [("n", [4, 2, 0])], as_text=str)).found
    widths = [float(one.get("width", 0)) for tag, one in drawn if tag == "rect"]
    longest, shorter, nothing = sorted(widths, reverse=True)
    assert longest == pytest.approx(2 * shorter)
    assert nothing == 0


@pytest.mark.parametrize(
    ("most", "ticks"),
    [
        (0, [0, 1]),
        (1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (7, [0, 2, 4, 6, 8]),
        (2_487_868, [0, 5e5, 1e6, 1.5e6, 2e6, 2.5e6]),
    ],
)
def test_an_axis_has_round_steps_and_holds_the_largest_value(most, ticks):
    assert charts._ticks(most) == pytest.approx(ticks)


def test_every_class_that_is_coloured_is_drawn_and_every_colour_is_a_token():
    css = (ROOT / "webmap" / "static" / "prospects" / "profile.css").read_text("utf-8")
    assert not re.search(r"(?:fill|stroke|background): (?!var\(|none|#000|CanvasText)", css)
    drawn = charts.bars(["a"], [("n", [1]), ("m", [1])], as_text=str, is_stacked=True)
    drawn += charts.lines(["a", "b"], [("n", [0, 1]), ("m", [0, 1])], as_text=str)
    used = {word for _, one in Elements(drawn).found for word in (one.get("class") or "").split()}
    for name in set(re.findall(r"\.chart-svg((?: \.[\w-]+)+)", css)):
        assert set(re.findall(r"\.([\w-]+)", name)) <= used


# The page


def test_the_page_shows_the_figures_of_the_library(client, demo):
    page = client.get(NYC)
    told = reports.market_profile(demo, "M-NYC", scope=Scope.everything(), day="2026-11-23")
    shown = text_of(page.text)
    assert page.status_code == 200
    for figure in (
        f"{told.size.employment:,.0f} jobs",
        f"{told.size.establishments:,.0f} establishments",
        told.size.basis,
        f"{told.customers} of {told.prospects} are customers",
        f"{told.whitespace} of {told.in_money} have no open opportunity",
        money(told.money.pipeline_usd).replace("\N{NO-BREAK SPACE}", " "),
        "Bureau of Labor Statistics",
    ):
        assert figure in shown
    for name in told.top_accounts["name"]:
        assert name.replace("&", "&amp;") in page.text


def test_each_chart_stands_beside_a_table_that_has_all_its_rows(client):
    page = client.get(NYC).text
    assert page.count('class="chart-svg"') == page.count("<figure>") == 7
    for beside in page.split('class="beside')[1:]:
        table, figure, rest = beside.partition("<figure>")
        assert figure
        drawn = rest.partition("</figure>")[0]
        is_line = "line-graph" in drawn
        axis = drawn.partition(f'class="axis {"x" if is_line else "y"}')[2].partition(
            'class="axis'
        )[0]
        labels = re.findall(r"<text[^>]*>([^<]+)</text>", axis.partition('class="series')[0])
        assert len(labels) >= 2
        rows = text_of(table)
        assert not [one for one in labels if one.rstrip("…") not in rows]


def test_nothing_on_the_page_is_styled_or_scripted_inline(client):
    for tag, attributes in Elements(client.get(NYC).text).found:
        assert "style" not in attributes, (tag, attributes)
        assert tag != "style"
        assert tag != "script" or "src" in attributes


def test_all_markets_have_a_profile_and_lead_to_it(client, demo):
    for market_id in reports.market_summaries(demo, scope=Scope.everything())["market_id"]:
        assert f"/markets/{market_id}/profile" in client.get(f"/markets/{market_id}").text
        assert client.get(f"/markets/{market_id}/profile").status_code == 200


def test_a_market_that_is_not_there_is_not_found(client):
    assert client.get("/markets/none/profile").status_code == 404


def test_names_that_try_to_break_out_stay_text(hostile_app):
    page = hostile_app.test_client().get("/markets/m/profile")
    assert page.status_code == 200
    assert {tag for tag, _ in Elements(page.text).found}.isdisjoint(
        {"img", "iframe", "b", "marquee"}
    )
    for tag, attributes in Elements(page.text).found:
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        assert tag != "script" or "src" in attributes


@pytest.mark.parametrize(("length", "listed", "more"), [(3, 3, None), (4, 4, None), (5, 4, 2)])
def test_the_rest_of_a_long_list_is_one_row_that_adds_up(length, listed, more):
    frame = pd.DataFrame({"group": list("abcdefgh")[:length], "prospects": range(length)})
    rows = profile._cut(frame, 3, ("prospects",))
    assert len(rows) == listed
    assert rows[-1].get("more") == more
    assert sum(one["prospects"] for one in rows) == sum(range(length))


# Who sees what


def test_a_rep_sees_the_own_accounts_and_nothing_of_the_others(client_as, demo):
    page = text_of(client_as("rep_a").get(NYC).text)
    rows = reports.market(demo, "M-NYC", scope=Scope.everything()).prospects
    mine = rows[rows["rep_id"] == "R01"]
    customers = (mine["status"] == "customer").sum()
    assert f"{customers} of {len(mine)} are customers" in page
    assert money(mine["pipeline_usd"].sum()).replace("\N{NO-BREAK SPACE}", " ") in page
    assert "Avery Alder" in page
    for rep in set(rows["rep_name"].dropna()) - {"Avery Alder"}:
        assert rep not in page
    assert not re.search(rf"\b{len(rows)}\b", page)


@pytest.mark.parametrize("role", ["admin", "hr"])
def test_who_sees_sums_only_sees_no_account_rep_or_dollar_of_pipeline(client_as, demo, role):
    page = client_as(role).get(NYC).text
    told = reports.market_profile(demo, "M-NYC", scope=Scope.everything())
    assert "are accounts that you may open" in page
    assert f"{told.customers} of {told.prospects} are customers" in text_of(page)
    assert 'href="/prospects/' not in page
    for name in (*told.top_accounts["name"], *told.money.by_rep["rep_name"]):
        assert name.replace("&", "&amp;") not in page
    assert "Pipeline and quota are not available in your role" in page
    assert money(told.money.pipeline_usd) not in page


def test_a_market_of_someone_else_is_not_found(client_as):
    assert client_as("rep_b").get("/markets/M-DEN/profile").status_code == 404


def test_what_is_kept_for_one_is_not_shown_to_another(client_as):
    whole = client_as("ops").get(NYC).text
    assert "Blake Birch" in whole
    assert "Blake Birch" not in client_as("rep_a").get(NYC).text
    assert client_as("ops").get(NYC).text == whole


def test_an_import_shows_at_once(demo_url, tmp_path):
    copy = tmp_path / "copy.sqlite"
    shutil.copy(demo_url.removeprefix("sqlite:///"), copy)
    client = make_app(f"sqlite:///{copy}", tmp_path / "var").test_client()
    assert "7,777,000" not in client.get(NYC).text
    quotas = tmp_path / "quotas.csv"
    quotas.write_text("rep_id,period,amount_usd\nR01,2026-11,7777000000\n")
    with open_store(f"sqlite:///{copy}") as store:
        imports.import_file(store, "quotas", quotas, by="me", now=NOW)
    assert "7,777,000" in client.get(NYC).text
