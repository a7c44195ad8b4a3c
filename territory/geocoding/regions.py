"""Provinces and states abroad: the numbers that GeoNames gives to them."""

from __future__ import annotations

from territory.geocoding.gazetteer_index import GAP

# GeoNames numbers the provinces and states of countries other than ours.
REGIONS = {
    "AU": {
        "ACT": "01", "NSW": "02", "NT": "03", "QLD": "04", "SA": "05", "TAS": "06", "VIC": "07",
        "WA": "08",
    },
    "BR": {
        "AC": "01", "AL": "02", "AM": "04", "AP": "03", "BA": "05", "CE": "06", "DF": "07",
        "ES": "08", "GO": "29", "MA": "13", "MG": "15", "MS": "11", "MT": "14", "PA": "16",
        "PB": "17", "PE": "30", "PI": "20", "PR": "18", "RJ": "21", "RN": "22", "RO": "24",
        "RR": "25", "RS": "23", "SC": "26", "SE": "28", "SP": "27", "TO": "31",
    },
    "CA": {
        "AB": "01", "BC": "02", "MB": "03", "NB": "04", "NL": "05", "NS": "07", "NT": "13",
        "NU": "14", "ON": "08", "PE": "09", "QC": "10", "SK": "11", "YT": "12",
    },
}  # fmt: skip
REGION_CODES = {
    country + GAP + state: f"{country}.{number}"
    for country, states in REGIONS.items()
    for state, number in states.items()
}
