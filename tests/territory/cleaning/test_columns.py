"""Cells as people write them are read as what they mean."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory import reference
from territory.cleaning import codes, columns, degrees, faults, in_united_states, suspects

if TYPE_CHECKING:
    from pathlib import Path


def one(text: str | None) -> pd.Series:
    return pd.Series([text], dtype=object)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("c. 38,000 (2024)", 38_000),
        ("~2,500", 2_500),
        ("approx. 1.200", 1_200),
        ("38.000", 38_000),
        ("38 000", 38_000),
        ("2.1M", 2_100_000),
        ("38k", 38_000),
        ("38 thousand", 38_000),
        ("1,001-5,000", 1_001),
        ("10,001+", 10_001),
        ("12 employees", 12),
        ("1,234.0", 1_234),
        ("over 100,000", 100_000),
        ("0", 0),
        ("-1", None),
        ("lots", None),
        ("12%", None),
        ("inf", None),
        ("c.250 (2024)", 250),
        ("ca.1500", 1_500),
        ("ca 1 500", 1_500),
        ("ca. 1.500", 1_500),
        ("≈ 300", 300),
        ("approx 1200", 1_200),
        ("approx.1,200", 1_200),
        ("About 4,500 employees", 4_500),
        ("around 60", 60),
        ("roughly 75 people", 75),
        ("1.2k", 1_200),
        ("1,2k", 1_200),
        ("38K+", 38_000),
        ("4.5K+", 4_500),
        ("5k-10k", 5_000),
        ("1001-5000", 1_001),
        ("1,001–5,000 employees", 1_001),
        ("1001 to 5000", 1_001),
        ("10,001+ employees", 10_001),
        ("10,000+", 10_000),
        ("5 000+", 5_000),
        (">500", 500),
        ("> 10000", 10_000),
        ("250 (est.)", 250),
        ("est. 250", 250),
        ("250 FTE", 250),
        ("1,250 full-time", 1_250),
        ("12 Mitarbeiter", 12),
        ("250.0", 250),
        ("2 thousand", 2_000),
        ("3 Tsd.", 3_000),
        ("0.5 million", 500000.0),
        ("1.3 million (2023)[1]", 1300000.0),
        ("153,000[2]", 153_000),
        ("over 1 lakh", 100000.0),
        ("1,00,000", 100000.0),
        ("12'500", 12_500),
        ("12’500", 12_500),
        ("12\xa0500", 12_500),
        ("12\u202f500", 12_500),
        ("2-10 employees", 2),
        ("51-200", 51),
        ("11–50", 11),
        ("Nov-50", 11),
        ("10-Feb", 2),
        ("2-Oct", 2),
        ("5,000 - 10,000", 5_000),
        ("2024: 38,000", 38_000),
        ("FY24: 38,000", 38_000),
        ("FY2024 38,000", 38_000),
        ("38,000 in 2024", 38_000),
        ("38,000 (as of Dec 31, 2024)", 38_000),
        ("Employees: 250", 250),
        ("total 250", 250),
        ("250 people worldwide", 250),
        ("nearly 2.3 million", 2300000.0),
        ("150.000 Mitarbeiter", 150_000),
        ("500 +", 500),
        ("1.000–5.000", 1_000),
        ("100’000", 100000.0),
        ("38,000.00", 38_000),
        ("250*", 250),
        ("between 200 and 300", 200),
        ("between 5,000 and 10,000 employees", 5_000),
        ("up to 50", 50),
        ("250 employees (2024), 240 (2023)", 250),
        ("▲ 38,000 (2024)", 38_000),
        ("2000-5000", 2_000),
        ("2024", 2_024),
        ("1 employee", 1),
        ("(250)", None),
        ("two hundred", None),
        ("n.a.", None),
        ("13-Foo", None),
        ("$", None),
        ("FY 2024", None),
        ("1.2E+05", 120_000),
    ],
)
def test_employees_are_read_as_people_write_them(text: str, count: float | None) -> None:
    read = columns.parse_employees(one(text))[0]
    assert math.isnan(read) if count is None else read == count


@pytest.mark.parametrize(
    ("text", "dollars"),
    [
        ("US$ 24.9 billion (2025)", 24.9e9),
        ("$681,000,000,000", 681e9),
        ("2.1M", 2.1e6),
        ("USD 12m", 12e6),
        ("1.2T", 1.2e12),
        ("(502.2)", -502.2),
        ("$(502.2)", -502.2),
        ("-$5m", -5e6),
        ("$-5m", -5e6),
        ("US$3.2 billion (€2.9bn)", 3.2e9),
        ("$1M-$5M", 1e6),
        ("10-50M", 10e6),
        ("24.9 billion USD", 24.9e9),
        ("1.234.567,89", 1_234_567.89),
        ("1,5 Mio", 1.5e6),
        ("USD 1 200 000", 1.2e6),
        ("24.9 billion (2025), 22 (2024)", 24.9e9),
        ("24.900", 24_900),  # as employees: money has two decimals
        ("US$45.2 billion : 20 (2025)", 45.2e9),
        ("US$ 0 700 Mln (2018)", 7e8),
        ("€3.2bn", None),
        ("JP¥ 2 trillion", None),
        ("C$ 4bn", None),
        ("24.9 billion EUR", None),
        ("3 bn CHF", None),
        ("¥5.6 trillion (US$ 37 billion)", 37000000000.0),
        ("€3.2bn (US$3.5bn)", 3500000000.0),
        ("£1.2bn / $1.5bn", 1500000000.0),
        ("CHF 93 bn ($105 bn)", 105000000000.0),
        ("₹500 Cr (US$60 million)", 60000000.0),
        ("$2.5B", 2500000000.0),
        ("$2.5 B", 2500000000.0),
        ("2.5B USD", 2500000000.0),
        ("USD2.5B", 2500000000.0),
        ("U.S. $2.5 billion", 2500000000.0),
        ("$ 1,234,567.89", 1234567.89),
        ("1.234.567,89 $", 1234567.89),
        ("$12MM", 12000000.0),
        ("$500K", 500000.0),
        ("$1M–$5M", 1000000.0),
        ("$1M to $5M", 1000000.0),
        ("$10 - $50 million", 10000000.0),
        ("<$1M", 1000000.0),
        ("$1B+", 1000000000.0),
        ("$1 billion+", 1000000000.0),
        ("approx. $5m", 5000000.0),
        ("~$5m", 5000000.0),
        ("about US$ 5 million", 5000000.0),
        ("$24.9 billion (FY2025)", 24900000000.0),
        ("FY2024: $3bn", 3000000000.0),
        ("2024: US$ 3bn", 3000000000.0),
        ("▲ US$12 billion", 12000000000.0),
        ("Increase US$12 billion (2024)", 12000000000.0),
        ("▼ $3bn", 3000000000.0),
        ("-5,000,000", -5000000.0),
        ("–$5m", -5000000.0),
        ("($5 million)", -5000000.0),
        ("5 million dollars", 5000000.0),
        ("5 million US dollars", 5000000.0),
        ("5 mln USD", 5000000.0),
        ("5 Mrd. $", 5000000000.0),
        ("1,5 Mrd USD", 1500000000.0),
        ("5 Mio. USD", 5000000.0),
        ("$5 mil", 5000000.0),
        ("$1.2tn", 1200000000000.0),
        ("US$ 1.2 trn", 1200000000000.0),
        ("$0", 0),
        ("US$12,345 thousand", 12345000.0),
        ("12,345 (in thousands)", 12345000.0),
        ("$3.2 - 3.5 bn", 3200000000.0),
        ("$10,000,000-$50,000,000", 10000000.0),
        ("Revenue: $5M", 5000000.0),
        ("$5M/yr", 5000000.0),
        ("$5m ARR", 5000000.0),
        ("1'500'000", 1500000.0),
        ("between $5 and $10 million", 5000000.0),
        ("$12,34,567", 1_234_567),
        ("A$ 5m", None),
        ("Rs 500 crore", None),
        ("5 million euros", None),
        ("undisclosed", None),
        ("12.5%", None),
        ("C$4bn (approx)", None),
        ("unknown", None),
    ],
)
def test_money_is_read_as_dollars_or_not_at_all(text: str, dollars: float | None) -> None:
    read = columns.parse_money(one(text))[0]
    assert math.isnan(read) if dollars is None else read == pytest.approx(dollars)


@settings(deadline=None, max_examples=80, derandomize=True)
@given(st.integers(0, 10**12))
def test_a_figure_reads_the_same_however_it_is_grouped(number: int) -> None:
    written = [f"{number}", f"{number:,}", f"US$ {number:,} (2025)", f"c. {number:,}"]
    assert columns.parse_money(pd.Series(written)).tolist() == [number] * 4
    assert columns.parse_employees(pd.Series(written[:2])).tolist() == [number] * 2


@settings(deadline=None, max_examples=80, derandomize=True)
@given(st.lists(st.none() | st.text(), max_size=8))
def test_whatever_is_written_gives_an_answer_for_each_row(texts: list[str | None]) -> None:
    column = pd.Series(texts, index=range(5, 5 + len(texts)), dtype=object)
    for read in (
        columns.parse_money,
        columns.parse_employees,
        degrees.parse_degrees,
        columns.parse_dates,
        columns.clean_text,
    ):
        assert read(column).index.equals(column.index)


def test_no_spelling_means_two_things() -> None:
    for text in (codes._STATES, codes._PROVINCES, codes._STATUSES, codes._SEGMENTS):
        spellings = [
            (codes.fold(spelling), entry.split()[0])
            for entry in text.replace("\n", " ").split(";")
            for spelling in (entry.split()[0], *entry.strip().partition(" ")[2].split(","))
            if spelling.strip()
        ]
        assert len({name for name, _ in set(spellings)}) == len(set(spellings))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-01", "2026-11-01"),
        ("2026-11-01T10:00:00Z", "2026-11-01"),
        ("11/1/2026", "2026-11-01"),
        ("1.11.2026", "2026-11-01"),
        ("Nov 1, 2026", "2026-11-01"),
        ("2026-02-30", None),
        ("soon", None),
    ],
)
def test_dates_are_days(text: str, day: str | None) -> None:
    assert columns.parse_dates(one(text))[0] == day


def test_degrees_may_name_their_hemisphere() -> None:
    texts = pd.Series(["38.9", "38,9", "77.2° W", "33.9 S", "N/A", None])
    read = degrees.parse_degrees(texts).to_numpy()
    np.testing.assert_array_equal(read, [38.9, 38.9, -77.2, -33.9, np.nan, np.nan])


@pytest.mark.parametrize(
    ("lon", "lat", "american", "told"),
    [
        (-77.2, 38.9, True, None),
        (13.4, 52.5, False, None),
        (13.4, 52.5, True, None),
        (38.9, -77.2, True, "the other way round"),
        (38.9, -77.2, False, "were they swapped?"),
        (77.2, 38.9, True, "with lon negative"),
        (38.9, -122.4, False, "off the globe (were they swapped?)"),
        (200.0, 10.0, False, "lon=200 is off the globe"),
        (float("inf"), 10.0, False, "off the globe"),
        (144.8, 13.5, True, None),
        (-170.7, -14.3, True, None),
        (179.0, 52.0, True, None),
        (np.nan, np.nan, True, None),
    ],
)
def test_coordinates_that_cannot_be_meant_are_told(
    lon: float, lat: float, american: bool, told: str | None
) -> None:
    x, y = np.array([lon]), np.array([lat])
    reason, remedy = faults(x, y, np.array([american]))
    assert (reason[0] is None) == (remedy[0] is None) == (told is None)
    if told is not None:
        assert told in reason[0]
        assert suspects(x, y)[0]


def test_every_american_zip_code_lies_in_the_boxes_of_the_united_states() -> None:
    zip_codes = reference.load().zip_codes
    soil = ~zip_codes["state_code"].isin(["AA", "AE", "AP", "FM", "MH", "PW"])
    points = zip_codes[soil]
    assert in_united_states(points["lon"].to_numpy(), points["lat"].to_numpy()).all()


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("(212) 555-0150", None, "+12125550150"),
        ("212.555.0150 x12", "US", "+12125550150;ext=12"),
        ("1-800-FLOWERS", "US", "+18003569377"),
        ("212.555.0150 / 212.555.0151", "US", "+12125550150"),
        ("2125550150; 2125550151", "US", "+12125550150"),
        ("tel:+1-212-555-0150", "US", "+12125550150"),
        ("011 44 20 7946 0018", "US", "+442079460018"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("+49 (0)89 1234567", "US", "+49891234567"),
        ("030/1234567", "DE", "+49301234567"),
        ("555-0150", "US", "555-0150"),
        ("000-000-0000", "US", "000-000-0000"),
        ("ask Kim", "US", "ask Kim"),
        ("212-555-0150", "Freedonia", "212-555-0150"),
        ("n/a", "US", None),
    ],
)
def test_phones_get_one_form_or_stay_as_they_are(
    text: str, country: str | None, number: str | None
) -> None:
    read = columns.clean_phones(one(text), one(country))
    assert read[0] == number
    assert columns.clean_phones(read, one(country))[0] == number


def test_phones_of_many_countries_are_read_at_once_and_stay_in_order() -> None:
    texts = pd.Series(["020 7946 0018", None, "212 555 0150", "020 7946 0018"], index=[7, 8, 9, 3])
    country = pd.Series(["GB", "GB", None, "US"], index=texts.index)
    read = columns.clean_phones(texts, country)
    assert read.tolist() == ["+442079460018", None, "+12125550150", "020 7946 0018"]
    assert read.index.equals(texts.index)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Kim Doe <Kim.Doe@EXAMPLE.com>", "Kim.Doe@example.com"),
        (" KIM@Acme.COM ", "KIM@acme.com"),
        ("mailto:kim@acme.com?subject=Hi", "kim@acme.com"),
        ("kim@acme.com; joe@acme.com", "kim@acme.com"),
        ("kim@bücher.de", "kim@bücher.de"),
        ("frost.tupelo@3m.example.com", "frost.tupelo@3m.example.com"),
        ("kim at acme", "kim at acme"),
        ("kim@acme", "kim@acme"),
        ("none", None),
    ],
)
def test_emails_get_one_form_or_stay_as_they_are(text: str, address: str | None) -> None:
    read = columns.clean_emails(one(text))
    assert read[0] == address
    assert columns.clean_emails(read)[0] == address


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("HTTPS://WWW.ALBERTSONS.COM/#1", "albertsons.com"),
        ("www.psu.edu/abington", "psu.edu"),
        ("http://acme.com:8080/x", "acme.com"),
        ("https://www.ox.ac.uk", "ox.ac.uk"),
        ("acme.wixsite.com/home", "acme.wixsite.com"),
        ("info@acme.co.jp", "acme.co.jp"),
        ("acme.com, acme.org", "acme.com"),
        ("localhost", None),
        ("1.2.3.4", None),
        ("see the brochure", None),
        ("", None),
    ],
)
def test_a_web_address_has_one_registered_domain(text: str, domain: str | None) -> None:
    assert columns.clean_domains(one(text))[0] == domain


@pytest.mark.parametrize(
    ("text", "system", "words"),
    [
        ("485410", None, "School and Employee Bus Transportation"),
        ("541511.0", None, "Custom Computer Programming Services"),
        ("541511 - Custom software", None, "Custom Computer Programming Services"),
        ("453998", None, "All Other Miscellaneous Store Retailers (except Tobacco Stores)"),
        ("517210", None, "Telecommunications"),
        ("999990", None, "Unclassified"),
        ("NAICS 5415", None, "Computer Systems Design and Related Services"),
        ("311", "naics", "Food Manufacturing"),
        ("7372", "sic", "Business Services"),
        ("SIC: 0115", None, "Agricultural Production: Crops"),
        ("7372: Prepackaged Software", "sic", "Prepackaged Software"),
        ("2211", None, "2211"),
        ("888888", None, "888888"),
        ("3M and others", None, "3M and others"),
        ("24-7 Care", None, "24-7 Care"),
        ("Software & Services", None, "Software & Services"),
        ("N/A", None, None),
    ],
)
def test_industry_codes_become_words(text: str, system: str | None, words: str | None) -> None:
    assert columns.clean_industries(one(text), system)[0] == words


def test_what_classification_a_column_is_of_is_told_from_all_of_its_codes() -> None:
    sic = pd.Series(["7372", "2834", "6022", "Banks"])
    assert columns.clean_industries(sic).tolist() == [
        "Business Services",
        "Chemicals and Allied Products",
        "Depository Institutions",
        "Banks",
    ]
    naics = pd.Series(["5415", "541511"])
    assert columns.clean_industries(naics)[0].startswith("Computer Systems Design")


def test_nearly_every_industry_code_of_a_million_loans_has_its_own_words(shared: Path) -> None:
    loans = pd.read_csv(shared / "ppp_businesses_1m.csv.gz", dtype=str, usecols=["naicscode"])
    read = columns.clean_industries(loans["naicscode"])
    written = loans["naicscode"].notna()
    assert (read[written] != loans.loc[written, "naicscode"]).mean() > 0.999
    assert (read == "Unclassified").sum() < 0.017 * len(read)
