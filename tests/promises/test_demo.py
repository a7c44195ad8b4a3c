"""The demo company: its files keep their contracts, and a new build gives the same files."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyproj import Geod

from scripts.demo import assembly, companies, invented, places
from territory import schemas
from territory.policy import SEGMENTS, read_policy
from territory.reference import load

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"
KINDS = (
    "offices", "prospects", "reps", "markets", "territories", "named_accounts", "sites",
    "contacts", "opportunities", "quotas",
)  # fmt: skip


@pytest.fixture(scope="module")
def demo() -> dict[str, pd.DataFrame]:
    """Every file as intake would see it: text, with nothing read as a number or a code cut."""
    frames = {}
    for kind in KINDS:
        text = pd.read_csv(DEMO / f"{kind}.csv", dtype=str, keep_default_na=False)
        frames[kind] = text.astype(object).where(text != "", None)
    return frames


@pytest.fixture(scope="module")
def built() -> assembly.Demo:
    package = pytest.importorskip("pytickersymbols.indices_data")
    return assembly.assemble(package.INDICES, read_policy(DEMO / "policy.toml"))


class TestFiles:
    @pytest.mark.parametrize("kind", KINDS)
    def test_each_file_has_exactly_the_columns_of_its_contract(self, kind, demo):
        schema = getattr(schemas, kind.upper())
        assert list(demo[kind].columns) == list(schema.columns)
        schemas.check(demo[kind], schema, f"{kind}.csv")

    @pytest.mark.parametrize(
        ("kind", "column", "target", "key"),
        [
            ("reps", "base_office_id", "offices", "office_id"),
            ("prospects", "owner_rep_id", "reps", "rep_id"),
            ("territories", "rep_id", "reps", "rep_id"),
            ("territories", "market_id", "markets", "market_id"),
            ("named_accounts", "prospect_id", "prospects", "prospect_id"),
            ("named_accounts", "territory_id", "territories", "territory_id"),
            ("sites", "prospect_id", "prospects", "prospect_id"),
            ("contacts", "prospect_id", "prospects", "prospect_id"),
            ("opportunities", "prospect_id", "prospects", "prospect_id"),
            ("quotas", "rep_id", "reps", "rep_id"),
        ],
    )
    def test_every_reference_between_files_resolves(self, kind, column, target, key, demo):
        given = set(demo[kind][column].dropna())
        assert given
        assert given <= set(demo[target][key])

    def test_the_readme_gives_each_files_number_of_rows(self, demo):
        readme = (DEMO / "README.md").read_text("utf-8")
        wrong = [k for k in KINDS if f"| `{k}.csv` | {len(demo[k]):,} |" not in readme]
        assert wrong == []

    def test_all_files_together_stay_under_a_megabyte(self):
        assert sum(path.stat().st_size for path in DEMO.iterdir() if path.is_file()) < 1_000_000

    def test_the_notice_says_what_is_real_and_what_is_invented(self):
        company = tomllib.loads((DEMO / "company.toml").read_text("utf-8"))
        assert company["notice"].startswith("Example company.")
        assert {"offices", "reps", "contacts", "sites", "opportunities", "quotas"} <= set(
            company["invented"]
        )
        assert "CC BY-SA" in (DEMO / "README.md").read_text("utf-8")


class TestContents:
    def test_each_office_in_the_united_states_stands_near_its_zip_code(self, demo):
        here = (
            demo["offices"]
            .query("country == 'US'")
            .merge(
                load().zip_codes, left_on="postal_code", right_on="zip_code", suffixes=("", "_zip")
            )
        )
        assert len(here) == 16
        metres = Geod(ellps="WGS84").inv(
            here["lon"].astype(float), here["lat"].astype(float), here["lon_zip"], here["lat_zip"]
        )[2]
        assert (metres < 5_000).all(), dict(zip(here["office_id"], metres, strict=True))
        assert (here["state"] == here["state_code"]).all()

    def test_each_office_abroad_stands_in_its_city(self, demo):
        abroad = demo["offices"].query("country != 'US'")
        cities = load().cities.merge(
            abroad, left_on=["name", "country_code"], right_on=["city", "country"]
        )
        metres = Geod(ellps="WGS84").inv(
            cities["lon_x"], cities["lat_x"], *cities[["lon_y", "lat_y"]].astype(float).T.values
        )[2]
        near = pd.Series(metres).groupby(cities["office_id"]).min()
        assert set(near.index) == set(abroad["office_id"])
        assert (near < 15_000).all()

    def test_nearly_every_headquarters_city_is_in_the_place_tables(self, demo):
        known = places.knower(places.towns())
        prospects = demo["prospects"]
        cities = list(zip(prospects["city"], prospects["state"], strict=True))
        lost = {city for city in cities if not known(*city)}
        assert len(cities) > 1_000
        assert sum(city in lost for city in cities) <= 0.005 * len(cities), lost

    def test_prospects_are_placed_by_name_but_for_the_few_whose_text_has_coordinates(self, demo):
        given = demo["prospects"]["lat"].notna()
        assert 5 <= given.sum() <= 0.02 * len(given)

    def test_coordinates_from_a_text_lie_in_the_city_that_it_names(self, demo):
        given = demo["prospects"].dropna(subset=["lat"])
        zips = load().zip_codes.merge(
            given, left_on=["city", "state_code"], right_on=["city", "state"], suffixes=("", "_hq")
        )
        metres = Geod(ellps="WGS84").inv(
            zips["lon"], zips["lat"], zips["lon_hq"].astype(float), zips["lat_hq"].astype(float)
        )[2]
        nearest = pd.Series(metres).groupby(zips["prospect_id"]).min()
        assert set(nearest.index) == set(given["prospect_id"])
        assert (nearest < 10_000).all()

    def test_both_segments_are_well_filled_under_the_demo_policy(self, demo):
        policy = read_policy(DEMO / "policy.toml")
        figures = demo["prospects"][["employees", "revenue_usd"]].astype(float)
        segment = policy.segments.classify(figures["employees"], figures["revenue_usd"])
        share = pd.Series(segment).value_counts(normalize=True)
        assert share["enterprise"] > 0.3
        assert share["mid_market"] > 0.3

    def test_statuses_include_each_kind_and_customers_alone_have_an_owner(self, demo):
        prospects = demo["prospects"]
        assert set(prospects["status"]) == set(schemas.STATUSES)
        owned = prospects["owner_rep_id"].notna()
        assert (owned == (prospects["status"] == "customer")).all()

    def test_every_kind_of_market_made_of_units_appears(self, demo):
        assert set(demo["markets"]["kind"]) == set(schemas.MARKET_KINDS) - {"polygon"}

    def test_every_unit_of_every_market_exists(self, demo):
        tables = load()
        codes = {
            "metro_area": set(tables.metro_areas["cbsa_code"]),
            "county": set(tables.counties["county_fips"]),
            "state": set(tables.states["state_code"]),
            "zip_code": set(tables.zip_codes["zip_code"]),
        }
        units = demo["markets"].assign(unit=demo["markets"]["units"].str.split("|")).explode("unit")
        unknown = [
            unit for kind, unit in zip(units["kind"], units["unit"], strict=True)
            if unit not in codes[kind]
        ]  # fmt: skip
        assert unknown == []

    def test_no_market_and_segment_belongs_to_two_territories(self, demo):
        rows = demo["territories"]
        segments = rows["segment"].map(
            lambda segment: SEGMENTS if segment == schemas.ANY_SEGMENT else (segment,)
        )
        each = rows.assign(segment=segments).explode("segment")
        assert not each.duplicated(["market_id", "segment"]).any()

    def test_the_plan_leaves_something_to_find(self, demo):
        assert demo["reps"]["base_office_id"].isna().sum() == 1
        assert set(demo["markets"]["market_id"]) - set(demo["territories"]["market_id"]) == {
            "M-SLC"
        }


class TestInvention:
    def test_contacts_are_put_together_from_word_lists_and_cannot_be_reached(self, demo):
        contacts = demo["contacts"]
        words = contacts["name"].str.split(" ", expand=True)
        assert set(words[0]) <= set(invented.FIRST.split())
        assert set(words[1]) <= set(invented.LAST.split())
        assert contacts["email"].str.endswith(".example.com").all()
        assert contacts["phone"].str.fullmatch(r"555-01\d\d").all()
        assert demo["reps"]["email"].str.endswith("@example.com").all()

    def test_sites_stand_in_other_cities_than_their_headquarters(self, demo):
        sites = demo["sites"].merge(demo["prospects"], on="prospect_id", suffixes=("", "_hq"))
        same = (sites["city"] == sites["city_hq"]) & (sites["state"] == sites["state_hq"])
        assert not same.any()
        assert demo["sites"].groupby("prospect_id").size().between(1, 6).all()

    def test_site_zip_codes_are_of_the_state_they_name(self, demo):
        sites = (
            demo["sites"]
            .dropna(subset=["postal_code"])
            .merge(load().zip_codes, left_on="postal_code", right_on="zip_code", how="left")
        )
        assert len(sites) > 0.9 * len(demo["sites"])
        assert (sites["state"] == sites["state_code"]).all()

    def test_deals_are_dated_round_the_fixed_day(self, demo):
        deals = demo["opportunities"]
        is_open = deals["stage"].isin(invented.OPEN_STAGES)
        today = invented.TODAY.strftime("%Y-%m-%d")
        assert (deals.loc[is_open, "close_on"] > today).all()
        assert (deals.loc[~is_open, "close_on"] < today).all()
        assert (deals["last_activity_on"] < today).all()
        assert set(deals["stage"]) == {*invented.OPEN_STAGES, "Closed won", "Closed lost"}

    def test_every_customer_has_won_a_deal(self, demo):
        won = set(demo["opportunities"].query("stage == 'Closed won'")["prospect_id"])
        customers = set(demo["prospects"].query("status == 'customer'")["prospect_id"])
        assert won == customers

    def test_months_and_quarters_add_up_to_the_year_of_each_rep(self, demo):
        quotas = demo["quotas"].astype({"amount_usd": float})
        kind = np.select(
            [quotas["period"].str.len() == 4, quotas["period"].str.contains("Q")],
            ["year", "quarter"],
            "month",
        )
        total = quotas.groupby(["rep_id", kind])["amount_usd"].sum().unstack()
        count = quotas.groupby(["rep_id", kind]).size().unstack()
        assert (total["year"] == total["quarter"]).all()
        assert (total["year"] == total["month"]).all()
        assert (count == [12, 4, 1]).all(axis=None)

    def test_a_draw_hangs_on_the_id_alone(self):
        assert invented.draw(["b"], "status")[0] == invented.draw(["a", "b"], "status")[1]
        assert invented.draw(["a"], "status")[0] != invented.draw(["a"], "stage")[0]


class TestBuild:
    @pytest.mark.parametrize("kind", KINDS)
    def test_building_again_gives_the_committed_file(self, kind, built):
        assert assembly.csv_text(built.frames[kind]) == (DEMO / f"{kind}.csv").read_text("utf-8")

    def test_the_account_of_companies_adds_up(self, built):
        kept = {companies.BY_TEXT, companies.BY_LIST, companies.BY_LIST_NOT_TEXT}
        assert len(built.outcomes) == len(built.gathered)
        assert sum(word in kept for word in built.outcomes) == len(built.frames["prospects"])
        assert len(assembly.account(built)) == 4 + len(set(built.outcomes))

    def test_the_readme_gives_the_same_account(self, built):
        readme = (DEMO / "README.md").read_text("utf-8")
        assert "\n".join(assembly.account(built)) in readme

    def test_no_person_of_the_source_gets_into_the_files(self, built):
        package = pytest.importorskip("pytickersymbols.indices_data")
        people = {
            entry["metadata"]["key_people"].split("(")[0].strip()
            for index in package.INDICES.values()
            for entry in index["companies"]
            if "(" in (entry.get("metadata") or {}).get("key_people", "")
        }
        columns = built.frames["prospects"].select_dtypes("object").drop(columns="name")
        texts = columns.stack()  # a company's own name may be a person's: Steve Madden
        assert len(people) > 300
        assert (people & set(texts)) <= {""}
