"""Reading free text on headquarters, and gathering one company from many entries."""

from __future__ import annotations

import pytest

from scripts.demo import companies, headquarters

KNOWN = {
    ("Chicago", "IL"), ("Pittsburgh", "PA"), ("New York", "NY"), ("New York City", "NY"),
    ("Milwaukee", "WI"), ("Houston", "TX"), ("Tulsa", "OK"), ("Falls Church", "VA"),
    ("West Falls Church", "VA"), ("Paradise", "NV"), ("Katy", "TX"), ("Bridgewater", "NJ"),
    ("Grand Rapids", "MI"), ("Columbus", "OH"), ("Kansas City", "MO"), ("Topeka", "KS"),
    ("Los Angeles", "CA"), ("Beaverton", "OR"), ("Saint Paul", "MN"), ("Seattle", "WA"),
    ("Washington", "DC"), ("New Brunswick", "NJ"), ("Birmingham", "AL"), ("Atlanta", "GA"),
    ("Largo", "FL"), ("Utica", "NY"), ("Mayfield Heights", "OH"), ("Lansing", "MI"),
}  # fmt: skip


def knows(city: str, state: str) -> bool:
    return (city, state) in KNOWN


def written(place: headquarters.Headquarters | None) -> str | None:
    return " / ".join(part for part in place if part is not None) if place else None


class TestReadingHeadquarters:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("Milwaukee , Wisconsin, U.S.", "Milwaukee / WI"),
            ("Birmingham , Alabama United States", "Birmingham / AL"),
            ("Atlanta , Georgia mailing address , U.S.", "Atlanta / GA"),
            ("Chicago , Illinois", "Chicago / IL"),
            ("Pittsburgh, PA , U.S.", "Pittsburgh / PA"),
            ("Washington, D.C. , US", "Washington / DC"),
            ("New York, New York, U.S.", "New York / NY"),
            ("New York City , United States", "New York / NY"),
            ("BOK Tower Tulsa, Oklahoma , U.S.", "BOK Tower / Tulsa / OK"),
            (
                "77 West Wacker Drive Chicago, Illinois , U.S.",
                "77 West Wacker Drive / Chicago / IL",
            ),
            (
                "Houston Energy Corridor , Houston, Texas , U.S.",
                "Houston Energy Corridor / Houston / TX",
            ),
            ("90 Park Avenue , New York , NY , U.S.", "90 Park Avenue / New York / NY"),
            (
                "1211 Avenue of the Americas , New York City, New York , United States",
                "1211 Avenue of the Americas / New York / NY",
            ),
            ("345 Park Avenue New York City, U.S.", "345 Park Avenue / New York / NY"),
            (
                "Johnson and Johnson Plaza , New Brunswick, New Jersey , U.S.",
                "Johnson and Johnson Plaza / New Brunswick / NJ",
            ),
            ("Las Vegas Strip ( Paradise ), Nevada, U.S.", "Las Vegas Strip / Paradise / NV"),
            ("Unincorporated Harris County (near Katy, Texas , U.S.)", "Harris County / Katy / TX"),
            ("West Falls Church, Virginia , U.S.", "West Falls Church / VA"),
            ("Bridgewater Township, New Jersey", "Bridgewater Township / Bridgewater / NJ"),
            (
                "Nike World Headquarters , Washington County, Oregon , US",
                "Nike World Headquarters, Washington County / Beaverton / OR",
            ),
        ],
    )
    def test_a_text_splits_into_street_city_and_state(self, text, expected):
        assert written(headquarters.parse(text, knows)) == expected

    @pytest.mark.parametrize(
        ("text", "city"),
        [
            (
                "Dublin , Ireland (legal) Grand Rapids, Michigan , U.S. (operational)",
                "Grand Rapids",
            ),
            ("Greifensee, Switzerland Executive Offices: Columbus, Ohio", "Columbus"),
            ("Largo, Florida , United States Utica, New York , United States (former)", "Largo"),
            ("Utica, New York , United States (former) Largo, Florida , United States", "Largo"),
            ("Utica, New York , U.S. (registered) Largo, Florida , U.S. (corporate)", "Largo"),
            ("Chicago , Illinois, and Pittsburgh , Pennsylvania , United States", "Chicago"),
            ("Paris, France ; Houston, Texas ; United States; London, UK .", "Houston"),
            ("Lansing, Michigan , Jackson Headquarters Lansing, Michigan , U.S.", "Lansing"),
            ("Los Angeles , United States , U.S.", "Los Angeles"),
        ],
    )
    def test_of_several_places_the_one_that_runs_the_company_wins(self, text, city):
        place = headquarters.parse(text, knows)
        assert place is not None
        assert (place.city, place.street) == (city, None)

    def test_the_index_list_decides_between_equals(self):
        text = "Topeka, Kansas , (admin. offices) Kansas City, Missouri , (corporate)"
        place = headquarters.parse(text, knows, "Kansas City, Missouri")
        assert written(place) == "Kansas City / MO"

    @pytest.mark.parametrize(
        ("text", "listed", "expected"),
        [
            ("353 North Clark Chicago", "Chicago, Illinois", "353 North Clark / Chicago / IL"),
            ("Mayfield Heights , United States", "Mayfield Heights, Ohio", "Mayfield Heights / OH"),
            ("Maplewood, Minnesota , U.S.", "Saint Paul, Minnesota", "Maplewood / Saint Paul / MN"),
        ],
    )
    def test_the_index_list_supplies_what_the_text_leaves_out(self, text, listed, expected):
        assert written(headquarters.parse(text, knows, listed)) == expected

    def test_zip_codes_and_decimal_coordinates_in_the_text_are_kept(self):
        place = headquarters.parse(
            "Scholastic Building 557 Broadway, New York City , New York 10012, United States "
            "40°43′27″N 73°59′51″W ﻿ / ﻿ 40.7242°N 73.9975°W ﻿ / 40.7242; -73.9975",
            knows,
        )
        street = "Scholastic Building 557 Broadway"
        assert place == headquarters.Headquarters(
            street, "New York", "NY", "10012", 40.7242, -73.9975
        )

    @pytest.mark.parametrize(
        "text",
        [
            "London , England",
            "Minato , Tokyo , Japan",
            "Delaware , US",
            "United States",
            "London (global) Berlin (corporate) New York City (sales)",
            "Utica, New York , United States (former)",
            "No headquarters : 16",
            "",
        ],
    )
    def test_a_text_without_a_city_in_the_united_states_gives_none(self, text):
        assert headquarters.parse(text, knows) is None


class TestGatheringCompanies:
    INDICES = {  # noqa: RUF012 - read only
        "DOW": {
            "companies": [
                {
                    "name": "Acme",
                    "country": "United States",
                    "industries": ["Conglomerate"],
                    "metadata": {"wikipedia_url": "https://x/wiki/Acme", "headquarters": "Reno"},
                },
                {"name": "Bolt (Class A)", "industries": ["Energy"], "metadata": {}},
            ]
        },
        "S&P 500": {
            "companies": [
                {
                    "name": "Acme",
                    "country": "Reno, Nevada",
                    "industries": ["Industrials"],
                    "metadata": {"wikipedia_url": "https://x/wiki/Acme", "employees": 40},
                },
                {"name": "Bolt (Class C)", "industries": []},
                {
                    "name": "Acme",
                    "country": "Elko, Nevada",
                    "industries": [],
                    "metadata": {"wikipedia_url": "https://x/wiki/Elko_Mines_(company)"},
                },
            ]
        },
    }

    def test_entries_of_one_company_become_one_row_and_all_are_counted(self):
        gathered = companies.gather(self.INDICES).set_index("name")
        assert gathered["entries"].to_dict() == {"Acme": 2, "Bolt": 2, "Elko Mines": 1}
        assert gathered.loc["Acme", "headquarters"] == "Reno"
        assert gathered.loc["Acme", "listed"] == "Reno, Nevada"
        assert gathered.loc["Acme", "employees"] == "40"

    def test_every_company_has_one_outcome_and_one_in_the_united_states_a_row(self):
        gathered = companies.gather(self.INDICES)
        prospects, outcomes = companies.read(gathered, knows)
        assert dict(zip(gathered["name"], outcomes, strict=True)) == {
            "Acme": companies.BY_TEXT,
            "Bolt": companies.NO_TEXT,
            "Elko Mines": companies.BY_LIST,
        }
        assert prospects["prospect_id"].tolist() == ["acme", "elko-mines"]

    def test_ids_are_plain_text(self):
        assert companies.slug("Arthur J. Gallagher & Co.") == "arthur-j-gallagher-co"
        assert companies.slug("Mondelēz International") == "mondelez-international"
        assert companies.slug("O'Reilly") == "oreilly"
