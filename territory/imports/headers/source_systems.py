"""Source systems: what their exports call each column, and how a file of one is recognized.

Headers are matched by their words (``headers``), so this table decides nothing. It says what is
known of each system, names it on the page, and tests and docs/import.md hold it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_COMMON = 0.75  # of the headers of a file that its system must know
_FEWEST = 4  # headers by which a system can be told


@dataclass(frozen=True)
class SourceSystem:
    """An export of a system: its name, the kind of its rows, header -> column ("": not used)."""

    name: str
    kind: str
    columns: Mapping[str, str]

    @property
    def slug(self) -> str:
        """The name as that of a file."""
        return "_".join(self.name.lower().replace("(", "").replace(")", "").split())


def _system(name: str, kind: str, columns: str) -> SourceSystem:
    """Read "Header = column; Header = column": a header without a column is not used."""
    pairs = (part.partition(" = ") for part in columns.replace("\n", " ").split("; "))
    return SourceSystem(name, kind, {header.strip(): column.strip() for header, _, column in pairs})


SYSTEMS = (
    _system(
        "Salesforce report",
        "prospects",
        """Account Owner = owner_rep_id; Account Name = name; Account ID = prospect_id;
Type = status; Billing Street = street; Billing City = city; Billing State/Province = state;
Billing Zip/Postal Code = postal_code; Billing Country = country; Shipping City; Shipping
State/Province; Shipping Zip/Postal Code; Employees = employees; Annual Revenue = revenue_usd;
Website = website; Industry = industry; Parent Account ID = parent_id; Last Activity""",
    ),
    _system(
        "Salesforce report (text only)",
        "prospects",
        """Account Owner = owner_rep_id; Account Name = name; Account ID = prospect_id; Billing
Street = street; Billing City = city; Billing State/Province (text only) = state; Billing Zip/Postal
Code = postal_code; Billing Country (text only) = country""",
    ),
    _system(
        "Salesforce data export",
        "prospects",
        """Id = prospect_id; Name = name; Type = status; ParentId = parent_id; BillingStreet =
street; BillingCity = city; BillingState = state; BillingPostalCode = postal_code; BillingCountry =
country; BillingLatitude = lat; BillingLongitude = lon; BillingGeocodeAccuracy = geocode_accuracy;
ShippingCity; ShippingState; ShippingPostalCode; Website = website; Industry = industry;
NumberOfEmployees = employees; AnnualRevenue = revenue_usd; OwnerId = owner_rep_id""",
    ),
    _system(
        "HubSpot companies",
        "prospects",
        """Record ID = prospect_id; Company name = name; Company owner = owner_rep_id; Create
Date; Phone Number; City = city; Country/Region = country; Industry = industry; Street Address =
street; Street Address 2; State/Region = state; Postal Code = postal_code; Number of Employees =
employees; Annual Revenue = revenue_usd; Lifecycle Stage = status""",
    ),
    _system(
        "Dynamics 365 accounts",
        "prospects",
        """(Do Not Modify) Account = prospect_id; (Do Not Modify) Row Checksum; (Do Not Modify)
Modified On; Account Name = name; Main Phone; Address 1: Street 1 = street; Address 1: City = city;
Address 1: State/Province = state; Address 1: ZIP/Postal Code = postal_code; Address 1:
Country/Region = country; Address 2: City; Relationship Type = status; Number of Employees =
employees; Owner = owner_rep_id""",
    ),
    _system(
        "Pipedrive organizations",
        "prospects",
        """Organization - ID = prospect_id; Organization - Name = name; Organization - Owner =
owner_rep_id; Organization - Address = street; Organization - City/town/village/locality of Address
= city; Organization - State/county of Address = state; Organization - ZIP/Postal code of Address =
postal_code; Organization - Country of Address = country; Organization - Latitude of Address = lat;
Organization - Longitude of Address = lon""",
    ),
    _system(
        "Zoho accounts",
        "prospects",
        """Record Id = prospect_id; Account Name = name; Account Owner = owner_rep_id; Phone;
Website = website; Billing Street = street; Billing City = city; Billing State = state; Billing Code
= postal_code; Billing Country = country; Shipping Code; Employees = employees; Annual Revenue =
revenue_usd; Account Type = status""",
    ),
    _system(
        "Odoo contacts",
        "prospects",
        """External ID = prospect_id; Name = name; Is a Company; Street = street; Street2; City =
city; State = state; Zip = postal_code; Country = country; Geo Latitude = lat; Geo Longitude = lon;
Salesperson = owner_rep_id""",
    ),
    _system(
        "ERPNext customers",
        "prospects",
        """ID = prospect_id; Customer Name = name; Customer Type; Customer Group; Territory;
Account Manager = owner_rep_id; Address Line 1 = street; City/Town = city; State/Province = state;
Postal Code = postal_code; Country = country""",
    ),
    _system(
        "SuiteCRM accounts",
        "prospects",
        """Name = name; ID = prospect_id; Website = website; Office Phone; Billing Street =
street; Billing City = city; Billing State = state; Billing Postal Code = postal_code; Billing
Country = country; Type = status; Industry = industry; Annual Revenue = revenue_usd; Employees =
employees; Assigned To = owner_rep_id""",
    ),
    _system(
        "Twenty companies",
        "prospects",
        """Id = prospect_id; Name = name; Domain Name / Link URL = website; Employees =
employees; ARR / Amount = revenue_usd; Address / Address 1 = street; Address / Address 2; Address /
City = city; Address / Post Code = postal_code; Address / State = state; Address / Country =
country; Address / Latitude = lat; Address / Longitude = lon""",
    ),
    _system(
        "Freshsales accounts",
        "prospects",
        """Id = prospect_id; Name = name; Address = street; City = city; State = state; Zipcode =
postal_code; Country = country; Website = website; Phone; Industry type = industry; Number of
employees = employees; Annual revenue = revenue_usd; Sales owner = owner_rep_id""",
    ),
    _system(
        "Close leads",
        "prospects",
        """id = prospect_id; display_name = name; status_label = status; url = website;
address_1_address_1 = street; address_1_city = city; address_1_state = state; address_1_zipcode =
postal_code; address_1_country = country""",
    ),
    _system(
        "monday.com board",
        "prospects",
        """Name = name; Owner = owner_rep_id; Location = street; Website = website; Employees
count = employees; Item ID (auto generated) = prospect_id""",
    ),
    _system(
        "Store list",
        "prospects",
        """Brand; Store Number = prospect_id; store_name = name; Street Address = street; City =
city; State/Province = state; Country = country; Postcode = postal_code; Longitude = lon; Latitude =
lat""",
    ),
    _system(
        "Salesforce opportunity report",
        "opportunities",
        """Opportunity Owner; Account Name; Account ID = prospect_id; Opportunity ID =
opportunity_id; Opportunity Name = name; Stage = stage; Amount = amount_usd; Close Date = close_on;
Last Activity = last_activity_on; Probability (%)""",
    ),
    _system(
        "HubSpot deals",
        "opportunities",
        """Record ID = opportunity_id; Deal Name = name; Deal Stage = stage; Amount = amount_usd;
Close Date = close_on; Last Activity Date = last_activity_on; Associated Company IDs = prospect_id;
Pipeline""",
    ),
    _system(
        "Pipedrive deals",
        "opportunities",
        """Deal - ID = opportunity_id; Deal - Title = name; Deal - Value = amount_usd; Deal -
Stage = stage; Deal - Status = outcome; Deal - Expected close date = close_on; Deal - Last activity
date = last_activity_on; Organization - ID = prospect_id; Organization - Name""",
    ),
    _system(
        "Zoho deals",
        "opportunities",
        """Record Id = opportunity_id; Deal Name = name; Account Name.id = prospect_id; Account
Name; Stage = stage; Amount = amount_usd; Closing Date = close_on; Last Activity Time =
last_activity_on""",
    ),
    _system(
        "Salesforce contact report",
        "contacts",
        """Contact ID = contact_id; First Name = first_name; Last Name = last_name; Title = title;
Email = email; Phone = phone; Account ID = prospect_id; Account Name""",
    ),
    _system(
        "HubSpot contacts",
        "contacts",
        """Record ID = contact_id; First Name = first_name; Last Name = last_name; Job Title =
title; Email = email; Phone Number = phone; Associated Company IDs = prospect_id""",
    ),
    _system(
        "Salesforce users",
        "reps",
        "User ID = rep_id; Full Name = name; Email = email; Username; Profile",
    ),
    _system(
        "Store list of an account",
        "sites",
        """Store Number = site_id; Store Name = name; Account ID = prospect_id; Store Address =
street; Store City = city; Store State = state; Store Zip = postal_code; Account City""",
    ),
    _system(
        "Quota sheet", "quotas", "Sales Rep = rep_id; Quarter = period; Quota Amount = amount_usd"
    ),
)


def recognize(headers: Iterable[str], kind: str) -> str:
    """Name the system that a file comes from; empty where none is likely, or several are."""
    names = set(headers)
    shares = {
        system.name: len(names & system.columns.keys()) / max(len(names), 1)
        for system in SYSTEMS
        if system.kind == kind and len(names & system.columns.keys()) >= _FEWEST
    }
    best = max(shares.values(), default=0.0)
    likely = [name for name, share in shares.items() if share == best >= _COMMON]
    return likely[0] if len(likely) == 1 else ""
