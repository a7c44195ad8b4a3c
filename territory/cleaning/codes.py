"""Code tables: the standard word, the spellings people use for it, and how they are matched.

Each table is one text of "CODE spelling, spelling; CODE spelling". Spellings are compared by
``fold``: case, accents, punctuation and blanks do not count. The code itself is a spelling too.
"""

from __future__ import annotations

import re
import unicodedata

_STATES = """
AL Alabama, Ala; AK Alaska; AZ Arizona, Ariz; AR Arkansas, Ark; CA California, Calif, Cal;
CO Colorado, Colo; CT Connecticut, Conn; DE Delaware, Del; FL Florida, Fla; GA Georgia;
HI Hawaii; ID Idaho; IL Illinois, Ill; IN Indiana, Ind; IA Iowa; KS Kansas, Kans, Kan;
KY Kentucky; LA Louisiana; ME Maine; MD Maryland; MA Massachusetts, Mass, Massachusets;
MI Michigan, Mich; MN Minnesota, Minn; MS Mississippi, Miss, Missisippi; MO Missouri;
MT Montana, Mont; NE Nebraska, Nebr, Neb; NV Nevada, Nev; NH New Hampshire; NJ New Jersey;
NM New Mexico, N Mex; NY New York, New York State, NYS; NC North Carolina, N Carolina, N Car;
ND North Dakota, N Dakota, N Dak; OH Ohio; OK Oklahoma, Okla; OR Oregon, Ore, Oreg;
PA Pennsylvania, Penn, Penna, Pennsylvannia; RI Rhode Island; SC South Carolina, S Carolina;
SD South Dakota, S Dakota, S Dak; TN Tennessee, Tenn; TX Texas, Tex; UT Utah; VT Vermont;
VA Virginia, Commonwealth of Virginia; WA Washington, Wash, Washington State;
WV West Virginia, W Virginia, W Va; WI Wisconsin, Wis, Wisc; WY Wyoming, Wyo;
DC District of Columbia, Washington DC, Dist of Columbia; PR Puerto Rico; GU Guam;
VI US Virgin Islands, Virgin Islands; AS American Samoa; MP Northern Mariana Islands;
AA Armed Forces Americas; AE Armed Forces Europe; AP Armed Forces Pacific; PW Palau;
FM Federated States of Micronesia; MH Marshall Islands
"""
_PROVINCES = """
AB Alberta; BC British Columbia; MB Manitoba; NB New Brunswick; NL Newfoundland and Labrador,
Newfoundland, NF; NS Nova Scotia; NT Northwest Territories; NU Nunavut; ON Ontario;
PE Prince Edward Island; QC Quebec, PQ; SK Saskatchewan; YT Yukon, YK
"""
# ISO 3166-1; the names people use come first.
_COUNTRIES = """
AD Andorra; AE United Arab Emirates; AF Afghanistan; AG Antigua and Barbuda; AI Anguilla;
AL Albania; AM Armenia; AO Angola; AQ Antarctica; AR Argentina; AS American Samoa; AT Austria;
AU Australia; AW Aruba; AX Åland Islands; AZ Azerbaijan; BA Bosnia and Herzegovina; BB Barbados;
BD Bangladesh; BE Belgium; BF Burkina Faso; BG Bulgaria; BH Bahrain; BI Burundi; BJ Benin;
BL Saint Barthélemy; BM Bermuda; BN Brunei; BO Bolivia; BQ Caribbean Netherlands; BR Brazil;
BS Bahamas; BT Bhutan; BV Bouvet Island; BW Botswana; BY Belarus; BZ Belize; CA Canada;
CC Cocos Islands; CD DR Congo; CF Central African Republic; CG Congo; CH Switzerland;
CI Ivory Coast; CK Cook Islands; CL Chile; CM Cameroon; CN China; CO Colombia; CR Costa Rica;
CU Cuba; CV Cape Verde; CW Curaçao; CX Christmas Island; CY Cyprus; CZ Czech Republic;
DE Germany; DJ Djibouti; DK Denmark; DM Dominica; DO Dominican Republic; DZ Algeria; EC Ecuador;
EE Estonia; EG Egypt; EH Western Sahara; ER Eritrea; ES Spain; ET Ethiopia; FI Finland; FJ Fiji;
FK Falkland Islands; FM Micronesia; FO Faroe Islands; FR France; GA Gabon; GB United Kingdom;
GD Grenada; GE Georgia; GF French Guiana; GG Guernsey; GH Ghana; GI Gibraltar; GL Greenland;
GM Gambia; GN Guinea; GP Guadeloupe; GQ Equatorial Guinea; GR Greece;
GS South Georgia and the South Sandwich Islands; GT Guatemala; GU Guam; GW Guinea-Bissau;
GY Guyana; HK Hong Kong; HM Heard Island and McDonald Islands; HN Honduras; HR Croatia;
HT Haiti; HU Hungary; ID Indonesia; IE Ireland; IL Israel; IM Isle of Man; IN India;
IO British Indian Ocean Territory; IQ Iraq; IR Iran; IS Iceland; IT Italy; JE Jersey;
JM Jamaica; JO Jordan; JP Japan; KE Kenya; KG Kyrgyzstan; KH Cambodia; KI Kiribati; KM Comoros;
KN Saint Kitts and Nevis; KP North Korea; KR South Korea; KW Kuwait; KY Cayman Islands;
KZ Kazakhstan; LA Laos; LB Lebanon; LC Saint Lucia; LI Liechtenstein; LK Sri Lanka; LR Liberia;
LS Lesotho; LT Lithuania; LU Luxembourg; LV Latvia; LY Libya; MA Morocco; MC Monaco; MD Moldova;
ME Montenegro; MF Saint Martin; MG Madagascar; MH Marshall Islands; MK North Macedonia; ML Mali;
MM Myanmar; MN Mongolia; MO Macau; MP Northern Mariana Islands; MQ Martinique; MR Mauritania;
MS Montserrat; MT Malta; MU Mauritius; MV Maldives; MW Malawi; MX Mexico; MY Malaysia;
MZ Mozambique; NA Namibia; NC New Caledonia; NE Niger; NF Norfolk Island; NG Nigeria;
NI Nicaragua; NL Netherlands; NO Norway; NP Nepal; NR Nauru; NU Niue; NZ New Zealand; OM Oman;
PA Panama; PE Peru; PF French Polynesia; PG Papua New Guinea; PH Philippines; PK Pakistan;
PL Poland; PM Saint Pierre and Miquelon; PN Pitcairn; PR Puerto Rico; PS Palestine; PT Portugal;
PW Palau; PY Paraguay; QA Qatar; RE Réunion; RO Romania; RS Serbia; RU Russia; RW Rwanda;
SA Saudi Arabia; SB Solomon Islands; SC Seychelles; SD Sudan; SE Sweden; SG Singapore;
SH Saint Helena; SI Slovenia; SJ Svalbard and Jan Mayen; SK Slovakia; SL Sierra Leone;
SM San Marino; SN Senegal; SO Somalia; SR Suriname; SS South Sudan; ST Sao Tome and Principe;
SV El Salvador; SX Sint Maarten; SY Syria; SZ Eswatini; TC Turks and Caicos Islands; TD Chad;
TF French Southern Territories; TG Togo; TH Thailand; TJ Tajikistan; TK Tokelau; TL Timor-Leste;
TM Turkmenistan; TN Tunisia; TO Tonga; TR Turkey; TT Trinidad and Tobago; TV Tuvalu; TW Taiwan;
TZ Tanzania; UA Ukraine; UG Uganda; UM United States Minor Outlying Islands; US United States;
UY Uruguay; UZ Uzbekistan; VA Vatican City; VC Saint Vincent and the Grenadines; VE Venezuela;
VG British Virgin Islands; VI US Virgin Islands; VN Vietnam; VU Vanuatu; WF Wallis and Futuna;
WS Samoa; YE Yemen; YT Mayotte; ZA South Africa; ZM Zambia; ZW Zimbabwe
"""
_ALPHA_3 = """
AD AND; AE ARE; AF AFG; AG ATG; AI AIA; AL ALB; AM ARM; AO AGO; AQ ATA; AR ARG; AS ASM; AT AUT;
AU AUS; AW ABW; AX ALA; AZ AZE; BA BIH; BB BRB; BD BGD; BE BEL; BF BFA; BG BGR; BH BHR; BI BDI;
BJ BEN; BL BLM; BM BMU; BN BRN; BO BOL; BQ BES; BR BRA; BS BHS; BT BTN; BV BVT; BW BWA; BY BLR;
BZ BLZ; CA CAN; CC CCK; CD COD; CF CAF; CG COG; CH CHE; CI CIV; CK COK; CL CHL; CM CMR; CN CHN;
CO COL; CR CRI; CU CUB; CV CPV; CW CUW; CX CXR; CY CYP; CZ CZE; DE DEU; DJ DJI; DK DNK; DM DMA;
DO DOM; DZ DZA; EC ECU; EE EST; EG EGY; EH ESH; ER ERI; ES ESP; ET ETH; FI FIN; FJ FJI; FK FLK;
FM FSM; FO FRO; FR FRA; GA GAB; GB GBR; GD GRD; GE GEO; GF GUF; GG GGY; GH GHA; GI GIB; GL GRL;
GM GMB; GN GIN; GP GLP; GQ GNQ; GR GRC; GS SGS; GT GTM; GU GUM; GW GNB; GY GUY; HK HKG; HM HMD;
HN HND; HR HRV; HT HTI; HU HUN; ID IDN; IE IRL; IL ISR; IM IMN; IN IND; IO IOT; IQ IRQ; IR IRN;
IS ISL; IT ITA; JE JEY; JM JAM; JO JOR; JP JPN; KE KEN; KG KGZ; KH KHM; KI KIR; KM COM; KN KNA;
KP PRK; KR KOR; KW KWT; KY CYM; KZ KAZ; LA LAO; LB LBN; LC LCA; LI LIE; LK LKA; LR LBR; LS LSO;
LT LTU; LU LUX; LV LVA; LY LBY; MA MAR; MC MCO; MD MDA; ME MNE; MF MAF; MG MDG; MH MHL; MK MKD;
ML MLI; MM MMR; MN MNG; MO MAC; MP MNP; MQ MTQ; MR MRT; MS MSR; MT MLT; MU MUS; MV MDV; MW MWI;
MX MEX; MY MYS; MZ MOZ; NA NAM; NC NCL; NE NER; NF NFK; NG NGA; NI NIC; NL NLD; NO NOR; NP NPL;
NR NRU; NU NIU; NZ NZL; OM OMN; PA PAN; PE PER; PF PYF; PG PNG; PH PHL; PK PAK; PL POL; PM SPM;
PN PCN; PR PRI; PS PSE; PT PRT; PW PLW; PY PRY; QA QAT; RE REU; RO ROU; RS SRB; RU RUS; RW RWA;
SA SAU; SB SLB; SC SYC; SD SDN; SE SWE; SG SGP; SH SHN; SI SVN; SJ SJM; SK SVK; SL SLE; SM SMR;
SN SEN; SO SOM; SR SUR; SS SSD; ST STP; SV SLV; SX SXM; SY SYR; SZ SWZ; TC TCA; TD TCD; TF ATF;
TG TGO; TH THA; TJ TJK; TK TKL; TL TLS; TM TKM; TN TUN; TO TON; TR TUR; TT TTO; TV TUV; TW TWN;
TZ TZA; UA UKR; UG UGA; UM UMI; US USA; UY URY; UZ UZB; VA VAT; VC VCT; VE VEN; VG VGB; VI VIR;
VN VNM; VU VUT; WF WLF; WS WSM; YE YEM; YT MYT; ZA ZAF; ZM ZMB; ZW ZWE
"""
_COUNTRY_SPELLINGS = """
US USA, United States of America, The United States, America, Estados Unidos, U S of A;
GB UK, Great Britain, Britain, England, Scotland, Wales, Northern Ireland,
United Kingdom of Great Britain and Northern Ireland; NL The Netherlands, Holland;
KR Republic of Korea, Korea, Korea South, Korea Republic of; KP DPRK, Korea North;
CN PRC, Peoples Republic of China, Mainland China; HK Hong Kong SAR, Hong Kong SAR China;
TW Taiwan ROC, Taiwan Province of China; MO Macao; RU Russian Federation; VN Viet Nam;
CZ Czechia; TR Türkiye; CI Côte d'Ivoire; CV Cabo Verde; DE Deutschland; ES España;
AT Österreich; CH Schweiz, Suisse; IT Italia; BR Brasil; MX México; JP Nippon; BE Belgique, België;
AE UAE, Emirates; IE Republic of Ireland, Eire; MK Macedonia; MM Burma; SZ Swaziland;
CD Democratic Republic of the Congo, Congo Democratic Republic of the, Congo Kinshasa;
CG Republic of the Congo, Congo Brazzaville; BS The Bahamas; GM The Gambia; PH The Philippines;
LA Lao PDR, Lao Peoples Democratic Republic; IR Islamic Republic of Iran; SY Syrian Arab Republic;
VE Bolivarian Republic of Venezuela; BO Plurinational State of Bolivia; TZ United Republic of
Tanzania; MD Republic of Moldova; BN Brunei Darussalam; VA Holy See; CW Netherlands Antilles;
VG Virgin Islands British; VI Virgin Islands US; PS State of Palestine, Palestinian Territory
"""
# The words of Salesforce's account types and HubSpot's lifecycle stages are among the spellings.
_STATUSES = """
prospect lead, subscriber, opportunity, target, new, open, suspect, evaluating, working, nurture,
marketing qualified lead, sales qualified lead, MQL, SQL, potential, active prospect,
pipeline, other;
customer client, active, active customer, customer direct, customer channel, current customer,
existing customer, won, closed won, evangelist, existing, account;
former former customer, churned, lost, lost customer, ex customer, past customer, inactive,
inactive customer, cancelled, canceled, churn, lapsed;
disqualified unqualified, do not contact, bad fit, not a fit, competitor, duplicate,
out of business, rejected, dead, partner, channel partner reseller, technology partner,
installation partner, reseller, integrator, investor, press, analyst
"""
_SEGMENTS = """
enterprise ent, large, large enterprise, strategic, major; mid_market mid, midmarket, mm,
commercial, medium, medium business, middle market; small smb, smb small,
small business, sb; unknown ; any all
"""
_MARKET_KINDS = """
metro_area metro, cbsa, msa, metropolitan area, metropolitan statistical area, metros;
county counties, county fips, fips; state states; zip_code zip, zips, postal code, zipcode, zcta;
polygon shape, geometry, area, custom
"""


def fold(text: str) -> str:
    """The letters and digits of a text, in lower case and without accents."""
    spread = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"[\W_]+", "", spread)


def _table(text: str) -> dict[str, str]:
    """Spelling, folded -> code."""
    table = {}
    for entry in text.replace("\n", " ").split(";"):
        code, _, spellings = entry.strip().partition(" ")
        for spelling in (code, *spellings.split(",")):
            if spelling.strip():
                table[fold(spelling)] = code
    return table


US_STATES = _table(_STATES)
CANADIAN_PROVINCES = _table(_PROVINCES)
COUNTRIES = _table(_ALPHA_3) | _table(_COUNTRIES) | _table(_COUNTRY_SPELLINGS)
US_TERRITORIES = ("PR", "GU", "VI", "AS", "MP")  # ISO calls them countries; the mail does not
# AA is 340, AE 090 to 098, AP 962 to 966.
MILITARY_ZIPS = re.compile(r"(?:340|09[0-8]|96[2-6])\d{2}")
STATUSES = _table(_STATUSES)
SEGMENTS = _table(_SEGMENTS)
MARKET_KINDS = _table(_MARKET_KINDS)

# What an export writes where it knows nothing. A name is only blank when it says so at length.
BLANKS = frozenset(
    ("na", "nan", "null", "none", "nil", "notavailable", "notapplicable", "unknown", "undefined")
)
BLANK_NAMES = frozenset(("not available", "not applicable", "undefined", "n/a", "#n/a"))
