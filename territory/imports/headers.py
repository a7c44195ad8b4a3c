"""Header mapping: which column of a file is which of ours, and which a kind cannot do without.

Known are the headers of Salesforce, HubSpot, HIFLD and IPEDS, and plain names.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from territory import schemas
from territory.cleaning import fold
from territory.errors import ColumnError, InputError
from territory.imports.identity import IDENTITY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# What a CRM says of its own coordinates. It is read and not kept: no column of a contract.
ACCURACY = "geocode_accuracy"
# For each of our columns the headers it goes by, folded, the one to prefer first.
_PLACE = {
    "street": "street billingstreet streetaddress address addr address1 street1 addressline1 "
    "streetaddress1 companystreetaddress mailingaddress physicaladdress shippingstreet",
    "city": "city billingcity town companycity mailingcity shippingcity physicalcity cityname "
    "municipality locality",
    "state": "state statecode billingstatecode billingstate stabbr stateregion "
    "stateprovince province stateabbr companystate mailingstate shippingstate physicalstate",
    "postal_code": "postalcode billingpostalcode zip zipcode zip5 postcode zippostalcode "
    "companyzip mailingzip shippingpostalcode physicalzip deliveryzipcode postal",
    "country": "country countrycode billingcountrycode billingcountry countryregion companycountry "
    "shippingcountry countryname",
    "lat": "lat latitude billinglatitude latitud intptlat ycoord latofgeometry latitudewgs84 "
    "shippinglatitude",
    "lon": "lon lng long longitude billinglongitude longitud intptlong intptlon xcoord "
    "lonofgeometry longitudewgs84 shippinglongitude",
    ACCURACY: "billinggeocodeaccuracy geocodeaccuracy shippinggeocodeaccuracy",
}
_PROSPECT_ID = "prospectid accountid companyid recordid externalid id crmid unitid symbol ticker"
_HEADERS: dict[str, dict[str, str]] = {
    "offices": {
        "office_id": "officeid id siteid locationid code officecode",
        "name": "name officename office location title",
        **_PLACE,
        "opened_on": "openedon opened opendate openingdate openedat",
        "closed_on": "closedon closed closedate closingdate closedat",
    },
    "prospects": {
        "prospect_id": _PROSPECT_ID,
        "name": "name companyname accountname instnm company account organization organisation "
        "organizationname businessname legalname institutionname facilityname",
        "status": "status lifecyclestage accounttype type accountstatus customerstatus",
        **_PLACE,
        "website": "website websiteurl companydomainname domain webaddr url web homepage "
        "companywebsite",
        "industry": "industry naicscode naics sector siccode sic industrygroup",
        "employees": "employees numberofemployees employeecount headcount numemployees noemployees "
        "staff totalemployees companysize jobsretained fulltimeemployees",
        "revenue_usd": "revenueusd annualrevenue revenue revenues annualrevenueusd sales turnover "
        "totalrevenue",
        "parent_id": "parentid parentaccountid parentcompanyid parentrecordid ultimateparentid",
        "owner_rep_id": "ownerrepid ownerid accountownerid hubspotownerid companyowner repid "
        "accountowner owner",
    },
    "sites": {
        "site_id": "siteid locationid id recordid",
        "prospect_id": "prospectid accountid companyid parentid customerid",
        "name": "name sitename locationname site",
        **_PLACE,
    },
    "contacts": {
        "contact_id": "contactid id recordid",
        "prospect_id": "prospectid accountid companyid associatedcompanyid",
        "name": "name fullname contactname",
        "title": "title jobtitle role position",
        "email": "email emailaddress mail",
        "phone": "phone phonenumber telephone mobile mobilephone businessphone",
    },
    "opportunities": {
        "opportunity_id": "opportunityid dealid id recordid",
        "prospect_id": "prospectid accountid companyid associatedcompanyid",
        "name": "name opportunityname dealname",
        "stage": "stage stagename dealstage",
        "amount_usd": "amountusd amount dealamount value",
        "close_on": "closeon closedate expectedclosedate",
        "last_activity_on": "lastactivityon lastactivitydate lastactivity lastmodifieddate",
    },
    "reps": {
        "rep_id": "repid id ownerid userid employeeid",
        "name": "name repname fullname username owner",
        "email": "email emailaddress mail",
        "base_office_id": "baseofficeid officeid baseoffice office",
    },
    "quotas": {
        "rep_id": "repid ownerid userid id",
        "period": "period quarter year month fiscalperiod",
        "amount_usd": "amountusd amount quota quotaamount target",
    },
    "markets": {
        "market_id": "marketid id",
        "name": "name marketname market title",
        "kind": "kind type marketkind",
        "units": "units unit unitcodes codes cbsacode countyfips zipcodes",
    },
    "territories": {
        "territory_id": "territoryid id",
        "name": "name territoryname territory",
        "rep_id": "repid ownerid owner rep",
        "market_id": "marketid market",
        "segment": "segment tier",
    },
    "named_accounts": {
        "prospect_id": f"{_PROSPECT_ID} account",
        "territory_id": "territoryid territory",
    },
}
CONTRACTS = {
    "offices": schemas.OFFICES,
    "prospects": schemas.PROSPECTS,
    "sites": schemas.SITES,
    "contacts": schemas.CONTACTS,
    "opportunities": schemas.OPPORTUNITIES,
    "reps": schemas.REPS,
    "quotas": schemas.QUOTAS,
    "markets": schemas.MARKETS,
    "territories": schemas.TERRITORIES,
    "named_accounts": schemas.NAMED_ACCOUNTS,
}
DEFAULTS = {"status": "prospect", "segment": schemas.ANY_SEGMENT}
KINDS = tuple(_HEADERS)
_SCALES = (
    (re.compile(r"\b(billions?|bn|bln)\b", re.IGNORECASE), 1e9),
    (re.compile(r"\b(millions?|mm|mn|mil|m)\b", re.IGNORECASE), 1e6),
    (re.compile(r"\b(thousands?|000s?|k)\b", re.IGNORECASE), 1e3),
)
_IN_BRACKETS = re.compile(r"[\[(]([^\])]*)[\])]|\bin\s+(.*)$", re.IGNORECASE)
_UNIT = re.compile(r"[\[(].*|\s+in\s+.*", re.IGNORECASE)
# The Fortune 500 file of HIFLD states revenue in millions of dollars and says so nowhere in it.
_HIFLD_FORTUNE_500 = frozenset(("rank", "revenues", "profit", "prc"))


def map_headers(columns: Iterable[str], kind: str) -> dict[str, str]:
    """Say which of ``columns`` is which column of the ``kind``; those that are none are left out.

    Each column of ours is taken once, by the header that is first in its list of names; what is in
    brackets or after "in" ("Revenue (USD millions)") does not count.

    Returns
    -------
    mapping
        Header of the file -> column of ours, in the order of the file.
    """
    headers = list(columns)
    by_name: dict[str, str] = {}
    for header in headers:
        for name in (fold(_UNIT.sub("", header)), fold(header)):
            by_name[name] = by_name.get(name, header)
    mapping: dict[str, str] = {}
    for column, names in _headers(kind).items():
        for name in (fold(column), *names.split()):
            if name in by_name and by_name[name] not in mapping:
                mapping[by_name[name]] = column
                break
    return {header: mapping[header] for header in headers if header in mapping}


def check_mapping(mapping: Mapping[str, str], columns: Iterable[str], kind: str) -> None:
    """Refuse a mapping that names headers or columns that are not there, all at once.

    A header mapped to "" is one that is not to be used.

    Raises
    ------
    ColumnError
        Naming each header that the file lacks, each column that ``kind`` lacks, and each column
        that two headers are mapped to.
    """
    present, ours = list(columns), _headers(kind)
    targets = [name for name in mapping.values() if name]
    breaches = [f"the file has no column {name!r}" for name in mapping if name not in present]
    breaches += [
        f"{kind} have no column {name!r}, only {', '.join(ours)}"
        for name in dict.fromkeys(targets)
        if name not in ours
    ]
    breaches += [
        f"{name!r} is mapped {targets.count(name)} times"
        for name in dict.fromkeys(targets)
        if targets.count(name) > 1
    ]
    if breaches:
        raise ColumnError(f"The mapping of columns does not fit: {'; '.join(breaches)}.")


def columns_of(kind: str) -> tuple[str, ...]:
    """Name the columns that a header of a file may be mapped to.

    Raises
    ------
    InputError
        If there is no such kind.
    """
    return tuple(_headers(kind))


def signature_of(columns: Iterable[str]) -> str:
    """Give a text that stands for a set of headers, in any order: files of one source share it."""
    return hashlib.sha256("\x1f".join(sorted(columns)).encode()).hexdigest()


def scale_of(header: str, columns: Iterable[str]) -> float:
    """How many dollars 1 means under this header: 1e6 for "Revenue (USD millions)", else 1."""
    if fold(header) == "revenues" and {fold(name) for name in columns} >= _HIFLD_FORTUNE_500:
        return 1e6
    unit = " ".join(part for match in _IN_BRACKETS.findall(header) for part in match)
    return next((scale for pattern, scale in _SCALES if pattern.search(unit)), 1.0)


def _headers(kind: str) -> dict[str, str]:
    if kind not in _HEADERS:
        raise InputError(f"There is no kind {kind!r}. The kinds are {', '.join(KINDS)}.")
    return _HEADERS[kind]


def required(kind: str) -> tuple[str, ...]:
    """Name the columns that a file of a kind cannot do without."""
    contract = CONTRACTS[kind]
    first = next(iter(contract.columns))
    return tuple(
        name
        for name, column in contract.columns.items()
        if not column.nullable and name not in DEFAULTS and not (name == first and kind in IDENTITY)
    )


def check_columns(
    kind: str, mapping: Mapping[str, str], headers: list[str], *, is_update: bool = False
) -> None:
    """Refuse a mapping that does not fit, or that lacks a column which nothing can stand in for.

    For rows that may be on file already (``is_update``) what is on file stands in, as long as the
    file has their ids.

    Raises
    ------
    ColumnError
        Saying all that is wrong with it.
    """
    check_mapping(mapping, headers, kind)
    missing = [name for name in required(kind) if name not in mapping.values()]
    ids = [name for name in key_columns(CONTRACTS[kind]) if name not in DEFAULTS]
    if is_update and set(ids) <= set(mapping.values()):
        return
    if missing and not is_nameless(kind, mapping, headers):
        raise ColumnError(
            f"A file of {kind} needs {', '.join(map(repr, missing))}; this one has "
            f"{', '.join(map(repr, headers))}. Rename a column, or give a mapping."
        )


def key_columns(contract: Any) -> list[str]:
    """Name the columns by which a contract tells its rows apart."""
    unique = contract.unique or [name for name, column in contract.columns.items() if column.unique]
    return list(unique)


def is_nameless(kind: str, mapping: Mapping[str, str], headers: list[str]) -> bool:
    """Tell whether a file lists prospects that are known by nothing but where they are.

    So it is where the file has places, neither ids nor names, and no header about which nothing was
    said: that one might be the name.
    """
    present = set(mapping.values())
    return (
        kind == "prospects"
        and not present & {"prospect_id", "name"}
        and bool(present & {"city", "postal_code"})
        and set(headers) <= set(mapping)
    )
