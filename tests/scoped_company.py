"""A company in which every text says whose it is, so that a text of another's cannot be missed.

Whatever belongs to the account of a rep holds ``zq`` and the rep's name: "zqann". Contacts hold
"contact-zqann", opportunities "deal-zqann". Dan has no territory; what nobody works holds
"zqnobody".
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from territory import workflow
from territory.store import KINDS

if TYPE_CHECKING:
    from pathlib import Path

    from territory.store import Store

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
REPS = ("zqann", "zqbob", "zqcyd", "zqdan")
NOBODY = "zqnobody"
MARKETS = ("CHI", "DEN", "NYC")
_AT = {"CHI": "41.88,-87.63", "DEN": "39.74,-104.99", "BOI": "43.61,-116.2", "": ","}
# id, status, where, employees, owner by the file, headcount of contacts, amounts of open deals
_PROSPECTS = (
    ("zqann-1", "prospect", "CHI", 5000, "", 2, (250, 40)),
    ("zqann-2", "customer", "CHI", 5000, "zqdan", 1, ()),  # Dan has no territory
    ("zqbob-1", "customer", "CHI", 5000, "zqbob", 1, (3_000,)),
    ("zqbob-2", "prospect", "DEN", 100, "", 0, (70_000,)),
    ("zqcyd-1", "customer", "CHI", 5000, "zqbob", 1, (900_000,)),  # named; Bob has it in the file
    ("zqcyd-2", "prospect", "BOI", 40, "", 1, (8,)),  # named, in no market
    ("zqcyd-3", "prospect", "", 40, "", 0, ()),  # named, without a place
    ("zqnobody-1", "prospect", "CHI", 20, "", 1, (5_000_000,)),  # of a segment nobody covers
    ("zqnobody-2", "prospect", "BOI", 20, "", 1, ()),
)
# Ann's accounts belong to one of Bob's and to one of hers, Cyd's to one that nobody works.
_PARENTS = {"zqann-1": "zqbob-1", "zqann-2": "zqann-1", "zqcyd-1": "zqnobody-1"}


def tables(changed: frozenset[str] = frozenset()) -> dict[str, str]:
    """Write the company as files.

    Of whoever is in ``changed``, every name, amount, size and place is another, and there is more.
    """
    said = [(*row, row[0].partition("-")[0] in changed) for row in _PROSPECTS]
    said += [
        (f"{whose}-9", "customer", "CHI" if whose in REPS else "", 40,
         whose if whose in REPS else "", 3, (6_000_000,), True)
        for whose in sorted(changed - {"zqdan"})
    ]  # fmt: skip
    prospects, contacts, deals, sites = [], [], [], []
    for key, status, where, employees, owner, people, amounts, is_changed in said:
        mark = "X" if is_changed else ""
        prospects.append(
            f"{key},{key} Inc{mark},{status},{_AT[where]},{employees + len(mark)},{owner},"
            f"{key}.com,{_PARENTS.get(key, '')}"
        )
        contacts += [
            f"contact-{key}-{n},{key},contact-{key}{mark}" for n in range(people + 3 * len(mark))
        ]
        deals += [
            f"deal-{key}-{n},{key},deal-{key}{mark},Proposal,{amount + 7 * len(mark)}"
            for n, amount in enumerate((*amounts, *([99_999] if mark else [])))
        ]
        sites.append(f"site-{key},{key},site-{key}{mark},Denver,CO")
    worth = {rep: 1000 + 500 * n + 13 * (rep in changed) for n, rep in enumerate(REPS)}
    names = {rep: f"{rep}{'X' if rep in changed else ''}" for rep in REPS}
    owned = [(f"{rep}-T", rep) for rep in REPS[:3]] + [(f"{NOBODY}-T", "")]
    where = dict(zip([key for key, _ in owned], ("CHI", "DEN", "DEN", "NYC"), strict=True))
    return {
        "offices": "office_id,name,lat,lon\nLOOP,Loop,41.8807,-87.6298\nLOST,Lost,,\n",
        "prospects": "prospect_id,name,status,lat,lon,employees,owner_rep_id,website,parent_id\n"
        + "\n".join(prospects),
        "reps": "rep_id,name,base_office_id\n"
        + "\n".join(f"{rep},{names[rep]},{'LOOP' if rep == 'zqann' else ''}" for rep in REPS),
        "markets": "market_id,name,kind,units\nCHI,Chicago,county,17031\n"
        "DEN,Denver,county,08031\nNYC,New York,county,36061\n",
        "territories": "territory_id,name,rep_id,market_id,segment\n"
        + "\n".join(
            f"{key},{key} {names.get(rep, '')},{rep},{where[key]},"
            f"{'mid_market' if key == 'zqbob-T' else 'enterprise'}"
            for key, rep in owned
        )
        + f"\nzqbob-T,zqbob-T {names['zqbob']},zqbob,CHI,enterprise",
        "named_accounts": "prospect_id,territory_id\n"
        + "\n".join(f"{key},zqcyd-T" for key, *_ in _PROSPECTS if key.startswith("zqcyd")),
        "quotas": "rep_id,period,amount_usd\n"
        + "\n".join(f"{rep},2026,{amount}" for rep, amount in worth.items()),
        "opportunities": "opportunity_id,prospect_id,name,stage,amount_usd\n" + "\n".join(deals),
        "contacts": "contact_id,prospect_id,name\n" + "\n".join(contacts),
        "sites": "site_id,prospect_id,name,city,state\n" + "\n".join(sites),
    }


def found(store: Store, folder: Path, changed: frozenset[str] = frozenset()) -> None:
    """Import the company, publish its plan, and import one prospect more."""
    files = tables(changed)
    for kind in KINDS:
        bring(store, folder, kind, files[kind])
    workflow.assign(store, published_by="me", now=NOW)
    bring(store, folder, "prospects", "prospect_id,name\nzqlater-1,zqlater Inc\n")


def bring(store: Store, folder: Path, kind: str, text: str) -> None:
    """Import one file."""
    path = folder / f"{kind}.csv"
    path.write_text(text)
    report = workflow.import_file(store, kind, path, by="me", now=NOW)
    assert report.refused.empty, report.refused.to_string()
