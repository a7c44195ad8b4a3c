"""The demo company: files of ``territory_data``, imported, assigned and open to HR's questions."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import TYPE_CHECKING

from territory import imports
from territory.eligibility import desk
from territory.eligibility.rules import read_eligibility_policy
from territory.errors import InputError
from territory.plans import publish_plan
from territory.policy import read_policy
from territory.progress import silent
from territory.reports import DEMO_NOTICE
from territory.store import KINDS

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from territory.plans import AssignReport
    from territory.progress import Progress
    from territory.store import Store

PACKAGE = "territory_data"


def load_demo(store: Store, *, now: datetime, progress: Progress | None = None) -> AssignReport:
    """Import the demo company, publish its plan, and put its 50-mile rule of eligibility in force.

    Company and plan are one transaction. The store is marked as holding invented people and
    figures, which every page says. Loading it again changes nothing.

    Raises
    ------
    InputError
        If the store holds data that are not those of the demo company.
    """
    _refuse_other_data(store)
    with resources.as_file(resources.files(PACKAGE)) as folder:
        report = _load_company(store, folder / "demo", now, progress or silent)
        by = report.plan.published_by if report.plan else "example"
        _publish_rule(store, folder / "eligibility_fifty_miles.toml", by, now)
    return report


def _refuse_other_data(store: Store) -> None:
    with store.read() as transaction:
        is_demo = transaction.setting(DEMO_NOTICE) is not None
    if not is_demo and not imports.is_empty(store):
        raise InputError(
            f"{store.shown} holds data of yours, which the example would mix with. "
            "Name another one: territory --store sqlite:///var/demo.sqlite demo"
        )


def _load_company(store: Store, folder: Path, now: datetime, tell: Progress) -> AssignReport:
    policy = read_policy(folder / "policy.toml")
    company = tomllib.loads((folder / "company.toml").read_text("utf-8"))
    terms = imports.Terms(by=company["name"], now=now)
    with store.write() as transaction:
        for kind in KINDS:
            path = folder / f"{kind}.csv"
            file = imports.read_source(kind, path, policy, lambda _names: None, progress=silent)
            tell(imports.save_source(transaction, file, terms, progress=silent).sentence)
        transaction.set_setting(DEMO_NOTICE, company["notice"])
        return publish_plan(transaction, company["name"], company["name"], now, policy, tell)


def _publish_rule(store: Store, path: Path, by: str, now: datetime) -> None:
    """Put the rule in force, so that HR can decide at once."""
    rule = read_eligibility_policy(path)
    if not desk.policy_versions(store, rule.name):
        desk.save_policy(store, rule, by=by, now=now)
        desk.publish_policy(store, rule.name, rule.version, by=by, now=now)
