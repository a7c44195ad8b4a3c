"""Industry codes read as the words that stand for them: NAICS (2022, then 2017) and SIC.

A code that the table does not have is read as the group or sector it begins with. SIC codes are
read as their major group, the first two digits.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from territory import reference

if TYPE_CHECKING:
    from collections.abc import Iterable

NAICS, SIC = "naics", "sic"
_UNCLASSIFIED = "Unclassified"
# Standard Industrial Classification of 1987, US Department of Labor; public domain.
_MAJOR_GROUPS = """
01 Agricultural Production: Crops; 02 Agricultural Production: Livestock; 07 Agricultural Services;
08 Forestry; 09 Fishing, Hunting, and Trapping; 10 Metal Mining; 12 Coal Mining;
13 Oil and Gas Extraction; 14 Mining of Nonmetallic Minerals; 15 Building Construction;
16 Heavy Construction; 17 Special Trade Contractors; 20 Food and Kindred Products;
21 Tobacco Products; 22 Textile Mill Products; 23 Apparel; 24 Lumber and Wood Products;
25 Furniture and Fixtures; 26 Paper and Allied Products; 27 Printing and Publishing;
28 Chemicals and Allied Products; 29 Petroleum Refining; 30 Rubber and Plastics Products;
31 Leather and Leather Products; 32 Stone, Clay, Glass, and Concrete Products;
33 Primary Metal Industries; 34 Fabricated Metal Products;
35 Industrial and Commercial Machinery and Computer Equipment;
36 Electronic and Electrical Equipment; 37 Transportation Equipment;
38 Measuring, Analyzing, and Controlling Instruments; 39 Miscellaneous Manufacturing Industries;
40 Railroad Transportation; 41 Local and Suburban Transit; 42 Motor Freight and Warehousing;
43 United States Postal Service; 44 Water Transportation; 45 Transportation by Air; 46 Pipelines;
47 Transportation Services; 48 Communications; 49 Electric, Gas, and Sanitary Services;
50 Wholesale Trade: Durable Goods; 51 Wholesale Trade: Nondurable Goods;
52 Building Materials and Garden Supply Stores; 53 General Merchandise Stores; 54 Food Stores;
55 Automotive Dealers and Gasoline Service Stations; 56 Apparel and Accessory Stores;
57 Home Furniture and Equipment Stores; 58 Eating and Drinking Places; 59 Miscellaneous Retail;
60 Depository Institutions; 61 Nondepository Credit Institutions;
62 Security and Commodity Brokers; 63 Insurance Carriers; 64 Insurance Agents and Brokers;
65 Real Estate; 67 Holding and Other Investment Offices; 70 Hotels and Other Lodging Places;
72 Personal Services; 73 Business Services; 75 Automotive Repair, Services, and Parking;
76 Miscellaneous Repair Services; 78 Motion Pictures; 79 Amusement and Recreation Services;
80 Health Services; 81 Legal Services; 82 Educational Services; 83 Social Services;
84 Museums, Art Galleries, and Gardens; 86 Membership Organizations;
87 Engineering, Accounting, Research, and Management Services; 88 Private Households;
89 Miscellaneous Services; 91 Executive, Legislative, and General Government;
92 Justice, Public Order, and Safety; 93 Public Finance and Taxation;
94 Administration of Human Resource Programs;
95 Administration of Environmental Quality and Housing Programs;
96 Administration of Economic Programs; 97 National Security and International Affairs;
99 Nonclassifiable Establishments
"""
_CODE = re.compile(
    r"\s*(?P<system>NAICS|SIC)?(?:\s*codes?)?\s*[:#]?\s*(?P<code>\d{2,6})(?:\.0+)?"
    r"(?:\s*[-\u2013:|.,;]\s*(?P<words>.*))?\s*",
    re.IGNORECASE | re.DOTALL,
)
_LONGEST_SIC = 4
_ENOUGH = 0.95


@cache
def _naics() -> dict[str, str]:
    table = reference.load().industries
    return dict(zip(table["naics_code"], table["title"], strict=True)) | {"99": _UNCLASSIFIED}


@cache
def _sic() -> dict[str, str]:
    entries = (entry.strip() for entry in _MAJOR_GROUPS.replace("\n", " ").split(";"))
    return {entry[:2]: entry[3:] for entry in entries}


def system_of(texts: Iterable[str]) -> str | None:
    """Which classification the codes of a column are of; None where there is none or it is open.

    Codes of five and six digits are NAICS. Where all have four digits or fewer, NAICS if it has
    nearly all of them, else SIC.
    """
    codes = [match["code"] for match in map(_CODE.fullmatch, texts) if match]
    if not codes:
        return None
    if any(len(code) > _LONGEST_SIC for code in codes):
        return NAICS
    share = sum(code in _naics() for code in codes) / len(codes)
    if share >= _ENOUGH:
        return NAICS if len(codes) > 1 else None
    return SIC if sum(code[:2] in _sic() for code in codes) / len(codes) >= _ENOUGH else None


def industry(text: str, system: str | None = None) -> str:
    """The words for an industry code; text that is words, or a code nobody knows, as it is.

    Parameters
    ----------
    system
        "naics" or "sic", where the text itself does not say. Without it a code of up to four
        digits is not guessed at.

    >>> industry("485410"), industry("7372", "sic"), industry("Software & Services")
    ('School and Employee Bus Transportation', 'Business Services', 'Software & Services')
    """
    match = _CODE.fullmatch(text)
    if not match:
        return text
    code, words = match["code"], (match["words"] or "").strip()
    has_words = any(letter.isalpha() for letter in words)
    if has_words and len(code) < _LONGEST_SIC:
        return text
    edition = (match["system"] or system or "").lower()
    if not edition and len(code) > _LONGEST_SIC:
        edition = NAICS
    if edition == SIC:
        title = _sic().get(code.zfill(_LONGEST_SIC)[:2])
        return words if has_words else title or text
    if edition != NAICS:
        return words if has_words else text
    for digits in range(len(code), 1, -1):
        title = _naics().get(code[:digits])
        if title is not None:
            return title
    return words if has_words else text
