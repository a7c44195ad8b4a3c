"""The example company's offices, markets, reps and territories, as tables kept by hand."""

from __future__ import annotations

import pandas as pd

# Downtown business addresses chosen as an example: nobody's real list of offices.
_OFFICES = """
TYS|Tysons|1750 Tysons Boulevard|McLean|VA|22102|US|38.9254|-77.2236|2009-04-01
NYC|New York|350 Fifth Avenue|New York|NY|10118|US|40.7484|-73.9857|2009-09-01
BOS|Boston|100 Summer Street|Boston|MA|02110|US|42.3535|-71.0577|2012-06-01
PHL|Philadelphia|1735 Market Street|Philadelphia|PA|19103|US|39.9537|-75.1697|2014-03-03
CLT|Charlotte|201 South Tryon Street|Charlotte|NC|28202|US|35.2262|-80.8451|2016-10-03
ATL|Atlanta|191 Peachtree Street NE|Atlanta|GA|30303|US|33.7590|-84.3866|2011-02-01
MIA|Miami|200 South Biscayne Boulevard|Miami|FL|33131|US|25.7723|-80.1872|2015-05-01
CHI|Chicago|233 South Wacker Drive|Chicago|IL|60606|US|41.8789|-87.6359|2010-07-01
MSP|Minneapolis|80 South Eighth Street|Minneapolis|MN|55402|US|44.9760|-93.2720|2017-08-01
DFW|Dallas|901 Main Street|Dallas|TX|75202|US|32.7803|-96.8042|2011-11-01
HOU|Houston|600 Travis Street|Houston|TX|77002|US|29.7597|-95.3644|2013-01-02
DEN|Denver|1700 Lincoln Street|Denver|CO|80203|US|39.7437|-104.9853|2012-09-04
PHX|Phoenix|201 North Central Avenue|Phoenix|AZ|85004|US|33.4507|-112.0734|2019-04-01
LAX|Los Angeles|633 West Fifth Street|Los Angeles|CA|90071|US|34.0510|-118.2545|2013-10-01
SFO|San Francisco|555 California Street|San Francisco|CA|94104|US|37.7920|-122.4038|2010-03-01
SEA|Seattle|701 Fifth Avenue|Seattle|WA|98104|US|47.6046|-122.3306|2016-02-01
LON|London|1 Canada Square|London||E14 5AB|GB|51.5049|-0.0195|2010-01-04
PAR|Paris|33 avenue du Maine|Paris||75015|FR|48.8421|2.3220|2013-06-03
FRA|Frankfurt|Neue Mainzer Straße 52-58|Frankfurt am Main||60311|DE|50.1124|8.6722|2012-04-02
SIN|Singapore|1 Raffles Place|Singapore||048616|SG|1.2844|103.8511|2018-07-02
"""

# Metro areas by CBSA code, counties and ZIP codes by code, states by letters. Montgomery
# County is in Baltimore and in Washington, so that an overlap has something to show.
_MARKETS = """
M-WAS|Washington|metro_area|47900
M-NYC|New York|metro_area|35620
M-BOS|Boston|metro_area|14460
M-PHL|Philadelphia|metro_area|37980
M-CLT|Charlotte|metro_area|16740
M-ATL|Atlanta|metro_area|12060
M-MIA|Miami and South Florida|metro_area|33100
M-CHI|Chicago|metro_area|16980
M-MSP|Minneapolis-St. Paul|metro_area|33460
M-DFW|Dallas-Fort Worth|metro_area|19100
M-HOU|Houston|metro_area|26420
M-DEN|Denver and Boulder|metro_area|19740 14500
M-PHX|Phoenix|metro_area|38060
M-LAX|Los Angeles|metro_area|31080
M-BAY|San Francisco Bay|metro_area|41860 41940
M-SEA|Seattle|metro_area|42660
M-CTX|Austin and San Antonio|metro_area|12420 41700
M-SAN|San Diego|metro_area|41740
M-STL|St. Louis and Kansas City|metro_area|41180 28140
M-SLC|Salt Lake City and Provo|metro_area|41620 39340
M-BAL|Baltimore|county|24510 24003 24005 24013 24025 24027 24031
M-MKE|Milwaukee and Racine|county|55079 55089 55101 55131 55133
M-PIT|Pittsburgh|county|42003 42007 42019 42051 42125 42129
M-OHV|Ohio and Kentucky|state|OH KY
M-TEN|Tennessee|state|TN
M-CTS|Connecticut|state|CT
M-RTP|Research Triangle|zip_code|27513 27518 27519 27560 27601 27603 27606 27607 27609 27612 27701 27703 27709 27713
"""  # noqa: E501

# Invented people. The last one works from home: a rep without a base office is a finding.
_REPS = """
R01|Avery Alder|NYC
R02|Blake Birch|NYC
R03|Casey Cedar|BOS
R04|Devon Dogwood|BOS
R05|Ellis Elm|TYS
R06|Frankie Fir|PHL
R07|Gale Ginkgo|CLT
R08|Harper Hazel|ATL
R09|Indigo Ironwood|ATL
R10|Jules Juniper|MIA
R11|Kit Katsura|CHI
R12|Lane Larch|CHI
R13|Morgan Maple|MSP
R14|Nico Nutmeg|DFW
R15|Oakley Oak|DFW
R16|Parker Pine|HOU
R17|Quinn Quince|HOU
R18|Reese Rowan|DEN
R19|Sage Sycamore|PHX
R20|Tatum Tamarack|LAX
R21|Umber Ulmus|SFO
R22|Val Viburnum|SFO
R23|Wren Willow|SEA
R24|Yael Yew|
"""

# territory | name | rep | segments | markets. Salt Lake City is in none: a market without a rep.
_TERRITORIES = """
T-NYC-ENT|New York enterprise|R01|enterprise|M-NYC
T-NYC-MID|New York mid-market|R02|mid_market small unknown|M-NYC
T-NEW-ENT|New England enterprise|R03|enterprise|M-BOS M-CTS
T-NEW-MID|New England mid-market|R04|mid_market small|M-BOS M-CTS
T-WAS|Washington and Baltimore|R05|any|M-WAS M-BAL
T-PEN|Pennsylvania|R06|any|M-PHL M-PIT
T-CAR|Carolinas|R07|any|M-CLT M-RTP
T-ATL-ENT|South enterprise|R08|enterprise|M-ATL M-TEN
T-ATL-MID|South mid-market|R09|mid_market small unknown|M-ATL M-TEN
T-FLA|South Florida|R10|any|M-MIA
T-CHI-ENT|Chicago and Milwaukee enterprise|R11|enterprise|M-CHI M-MKE
T-CHI-MID|Chicago and Milwaukee mid-market|R12|mid_market small unknown|M-CHI M-MKE
T-MID|Minneapolis, St. Louis and Kansas City|R13|any|M-MSP M-STL
T-DFW-ENT|Dallas and Central Texas enterprise|R14|enterprise|M-DFW M-CTX
T-DFW-MID|Dallas and Central Texas mid-market|R15|mid_market small unknown|M-DFW M-CTX
T-HOU-ENT|Houston enterprise|R16|enterprise|M-HOU
T-HOU-MID|Houston mid-market|R17|mid_market small unknown|M-HOU
T-DEN|Denver and Boulder|R18|any|M-DEN
T-PHX|Phoenix|R19|any|M-PHX
T-SCA|Southern California|R20|any|M-LAX M-SAN
T-BAY-ENT|San Francisco Bay enterprise|R21|enterprise|M-BAY
T-BAY-MID|San Francisco Bay mid-market|R22|mid_market small unknown|M-BAY
T-SEA|Seattle|R23|any|M-SEA
T-OHV|Ohio and Kentucky|R24|any|M-OHV
"""

# Sold to by one team wherever they sit: real companies, invented arrangement.
_NAMED_ACCOUNTS = """
walmart|T-DFW-ENT
fedex|T-ATL-ENT
berkshire-hathaway|T-NYC-ENT
nike-inc|T-SEA
johnson-johnson|T-PEN
lockheed-martin|T-WAS
caterpillar-inc|T-CHI-ENT
"""


def offices() -> pd.DataFrame:
    """Give the example offices: OFFICES columns, all open."""
    frame = _rows(
        _OFFICES, "office_id name street city state postal_code country lat lon opened_on"
    )
    return frame.astype({"lat": float, "lon": float}).assign(closed_on=None)


def markets() -> pd.DataFrame:
    """Give the example markets: MARKETS columns, every kind but a polygon."""
    frame = _rows(_MARKETS, "market_id name kind units")
    return frame.assign(units=frame["units"].str.replace(" ", "|"))


def reps() -> pd.DataFrame:
    """Give the invented reps: REPS columns, mail addresses in a reserved domain."""
    frame = _rows(_REPS, "rep_id name base_office_id")
    email = frame["name"].str.lower().str.replace(" ", ".") + "@example.com"
    return frame.assign(email=email)[["rep_id", "name", "email", "base_office_id"]]


def territories() -> pd.DataFrame:
    """Give one row per territory, market and segment: TERRITORIES columns."""
    frame = _rows(_TERRITORIES, "territory_id name rep_id segment market_id")
    for column in ("market_id", "segment"):
        frame = frame.assign(**{column: frame[column].str.split()}).explode(column)
    return frame[["territory_id", "name", "rep_id", "market_id", "segment"]].reset_index(drop=True)


def named_accounts() -> pd.DataFrame:
    """Give the accounts that a territory owns by name: NAMED_ACCOUNTS columns."""
    return _rows(_NAMED_ACCOUNTS, "prospect_id territory_id")


def _rows(table: str, columns: str) -> pd.DataFrame:
    rows = [[cell or None for cell in line.split("|")] for line in table.strip().splitlines()]
    return pd.DataFrame(rows, columns=columns.split(), dtype=object)
