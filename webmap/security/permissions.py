"""Labels of the capabilities: what each lets one do, to finish the sentence "You may ..."."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

RIGHTS = {
    "see_sums": "see totals, markets and offices",
    "check_own_home": "check your own ZIP code against the commute radius",
    "see_accounts_all": "see every prospect and site",
    "see_accounts_own": "see the prospects and sites that are yours",
    "see_contacts": "see the contacts of those",
    "see_pipeline": "see the opportunities and quotas of those",
    "see_findings": "see what is wrong with those",
    "work_accounts": "note what was done about those",
    "export_accounts": "export what you see",
    "save_views": "save filters of a list or map under a name",
    "import_data": "bring files in and undo imports",
    "review_places": "decide about places and likely duplicates",
    "see_drafts": "see plans that are not published",
    "draft_plans": "draft plans",
    "publish_plans": "publish plans",
    "set_access_policy": "say what reps see of each other's accounts",
    "decide_eligibility": "decide whether a home is within the commute radius",
    "see_decisions": "search and print decisions about homes",
    "see_homes": "see home addresses and exact distances",
    "set_eligibility_policy": "publish the rules for homes and grant exceptions",
    "manage_users": "add users, give roles, make links and tokens",
    "manage_settings": "change the settings of the installation",
    "see_audit": "search and export the log",
    "purge_audit": "purge what old events of the log say",
}


def in_words(capabilities: Iterable[str]) -> list[str]:
    """Say what these capabilities let one do, in the order of the table."""
    capabilities_of = set(capabilities)
    return [words for name, words in RIGHTS.items() if name in capabilities_of]
