"""Header names: what each column of ours is called in CRMs, public lists and spreadsheets.

Of addresses only the words are known (``addresses``). Names are folded: case, blanks and
punctuation do not count. The one to prefer stands first.
"""

from __future__ import annotations

from territory.imports.headers.addresses import ACCURACY

IS_WON, IS_CLOSED = "is_won", "is_closed"  # read as an outcome; no columns of ours
FIRST_NAME, LAST_NAME = "first_name", "last_name"  # joined into a name; no columns of ours
LAT_LON = "lat_lon"  # a cell that holds latitude and longitude; no column of ours
_ADDRESS = dict.fromkeys(
    ("street", "city", "state", "postal_code", "country", "lat", "lon", ACCURACY), ""
)
_ADDRESS[LAT_LON] = (
    "latlon latlng latlong latitudelongitude coordinates coords geocoordinates gpscoordinates gps "
    "geopoint geopoint2d geolocation georeference wkt"
)
# What our own files say of where coordinates come from: ``geocoding.ORIGIN``, by these names alone.
_ADDRESS |= dict.fromkeys(("precision", "uncertainty_m", "geocode_source"), "")
_ACCOUNT_ID = (
    "prospectid accountid companyid organizationid organisationid customerid clientid "
    "accountaccountid accountid18 18digitaccountid account18digitid casesafeaccountid "
    "casesafeid accountcasesafeid accountnameid organizationnameid leadid "
    "associatedcompanyid associatedcompanyids primaryassociatedcompanyid customerexternalid "
    "companyexternalid"
)
_PROSPECT_ID = (
    f"{_ACCOUNT_ID} recordid externalid id itemid guid uuid crmid unitid symbol ticker "
    "organizationnumber companynumber accountnumber accountno customernumber customerno "
    "customercode accountcode storenumber storeno storeid storecode locationnumber locationid "
    "siteid sitenumber branchid branchnumber"
)
_OWNER = (
    "ownerrepid ownerid accountownerid companyownerid hubspotownerid repid salesrepid "
    "assigneduserid owneremail accountowneremail assigneduseremail accountowner owner "
    "companyowner ownername ownerfullname salesowner recordowner assignedto assigneduser "
    "assignedusername salesrep salesrepresentative salesperson accountmanager accountexecutive "
    "responsible responsibleperson rep"
)
_REP_ID = (
    "repid ownerid userid salesrepid quotaownerid quotauserid repemail owneremail useremail "
    "email rep salesrep owner ownername quotaowner user username salesperson repname name"
)
NAMES: dict[str, dict[str, str]] = {
    "offices": {
        "office_id": "officeid id siteid locationid code officecode branchid branchcode "
        "officenumber branchnumber",
        "name": "name officename office location title branchname branch locationname sitename",
        **_ADDRESS,
        "opened_on": "openedon opened opendate openingdate openedat",
        "closed_on": "closedon closed closedate closingdate closedat",
    },
    "prospects": {
        "prospect_id": _PROSPECT_ID,
        "name": "name companyname accountname instnm company account organization organisation "
        "organizationname organisationname customername clientname businessname legalname "
        "institutionname facilityname displayname prospectname leadname storename locationname "
        "branchname sitename",
        "status": "status lifecyclestage accounttype type accountstatus customerstatus "
        "relationshiptype prospectstatus statuslabel",
        **_ADDRESS,
        "street": "location",  # of a board: the whole address in one cell
        "website": "website websiteurl companydomainname domain webaddr url web homepage "
        "companywebsite domainname domainnamelinkurl websiteaddress webpage",
        "industry": "industry industrytype naicscode naics sector siccode sic industrygroup "
        "primaryindustry",
        "employees": "employees numberofemployees employeecount headcount numemployees noemployees "
        "noofemployees employeescount staff totalemployees companysize jobsretained "
        "fulltimeemployees",
        "revenue_usd": "revenueusd annualrevenue revenue revenues annualrevenueusd sales turnover "
        "totalrevenue arramount arr",
        "parent_id": "parentid parentaccountid parentcompanyid parentrecordid ultimateparentid "
        "parentorganizationid parentaccountaccountid parentcustomerid",
        "owner_rep_id": _OWNER,
    },
    "sites": {
        "site_id": "siteid locationid id recordid storenumber storeid storeno branchid "
        "locationnumber sitenumber branchnumber storecode sitecode",
        "prospect_id": f"{_ACCOUNT_ID} parentid parentaccountid",
        "name": "name sitename locationname site storename branchname location store branch",
        **_ADDRESS,
    },
    "contacts": {
        "contact_id": "contactid id recordid personid externalid guid",
        "prospect_id": f"{_ACCOUNT_ID} parentid parentcustomerid",
        "name": "name fullname contactname personname displayname",
        FIRST_NAME: "firstname givenname forename contactfirstname",
        LAST_NAME: "lastname surname familyname contactlastname",
        "title": "title jobtitle role position jobposition designation",
        "email": "email emailaddress mail workemail primaryemail email1 emailwork emailaddress1 "
        "emailsprimaryemail businessemail",
        "phone": "phone phonenumber telephone businessphone workphone officephone phonework "
        "mainphone mobile mobilephone mobileno phonesprimaryphonenumber",
    },
    "opportunities": {
        "opportunity_id": "opportunityid dealid id recordid externalid guid opportunitynumber "
        "dealnumber",
        "prospect_id": _ACCOUNT_ID,
        "name": "name opportunityname dealname dealtitle title topic subject opportunity deal "
        "potentialname",
        "stage": "stage stagename dealstage salesstage opportunitystage pipelinestage statuslabel "
        "status",
        "amount_usd": "amountusd amount dealamount dealvalue value opportunityamount estrevenue "
        "estimatedrevenue estimatedvalue totalvalue expectedrevenue",
        "close_on": "closeon closedate expectedclosedate estclosedate estimatedclosedate "
        "closingdate expectedclosing expectedclosingdate expectedclose dateclosedexpected "
        "expecteddateclosed",
        "last_activity_on": "lastactivityon lastactivitydate lastactivity lastactivitytime "
        "lastmodifieddate lastmodified modifiedon modifiedtime updatetime lastupdate "
        "lastupdated lastcontacted",
        "outcome": "outcome dealoutcome opportunityoutcome statuslabel status",
        IS_WON: "iswon won isclosedwon hsisclosedwon dealwon",
        IS_CLOSED: "isclosed closed isdealclosed hsisclosed",
    },
    "reps": {
        "rep_id": "repid id ownerid userid employeeid salesrepid recordid externalid guid "
        "employeenumber usersystemid",
        "name": "name repname fullname salesrepname ownername displayname salesrep "
        "salesperson rep owner employeename username user",
        FIRST_NAME: "firstname givenname forename",
        LAST_NAME: "lastname surname familyname",
        "email": "email emailaddress mail workemail useremail owneremail primaryemail",
        "base_office_id": "baseofficeid officeid baseoffice office branchid officecode homeoffice",
    },
    "quotas": {
        "rep_id": f"{_REP_ID} id",
        "period": "period quarter year month fiscalperiod fiscalquarter fiscalyear "
        "forecastingperiod quotaperiod startdate periodstart quotastartdate",
        "amount_usd": "amountusd amount quota quotaamount target targetamount goal goalamount "
        "salestarget targetrevenue",
    },
    "markets": {
        "market_id": "marketid territoryid territorycode marketcode id",
        "name": "name marketname market title territory territoryname salesterritory territories "
        "region regionname salesregion district area areaname",
        "kind": "kind type marketkind",
        "units": "units unit unitcodes codes zipcodes zipcode zip zips zip5 postalcode postalcodes "
        "zcta zcta5 postcode zip3 countyfips countyfipscode fips fipscode county counties "
        "countyname countycode cbsacode cbsa msa msacode metroarea metroareas metro cbsatitle",
        "state": "state statecode statename stateabbr stabbr st states stateprovince",
    },
    "territories": {
        "territory_id": "territoryid id",
        "name": "name territoryname territory",
        "rep_id": "repid ownerid owneremail repemail owner rep salesrep ownername repname "
        "salesperson",
        "market_id": "marketid market",
        "segment": "segment tier",
    },
    "named_accounts": {
        "prospect_id": f"{_PROSPECT_ID} account",
        "territory_id": "territoryid territory",
    },
}
# Of the kind of rows that the file holds, these words say nothing: "Organization - Name" is a name.
OWN_WORDS = {
    "offices": "office branch",
    "prospects": "account company organization organisation customer client prospect lead business "
    "store",
    "sites": "site store location branch shop outlet",
    "contacts": "contact person people",
    "opportunities": "opportunity deal potential",
    "reps": "rep user owner employee",
    "quotas": "quota target forecast",
}
# Under these columns they say something: "Customer Type" of ERPNext is company or individual, and
# a "Lead Status" or a "Deal Status" is none of ours.
LITERAL = ("status", "kind", "segment", "units")
# Dynamics names the id of a row after its kind, with a word of warning.
PROTECTED = "(do not modify)"
