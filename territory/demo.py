"""The demo company: files of ``territory_data.demo``, imported and published as a plan."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import TYPE_CHECKING

from territory.imports import steps
from territory.plans.publish import publish
from territory.policy import read_policy
from territory.reports import views
from territory.store import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from territory.plans import AssignReport
    from territory.store import Store

    Progress = Callable[[str], None]

PACKAGE = "territory_data.demo"


def _silent(_stage: str) -> None:
    """Tell nobody."""


def load_demo(store: Store, *, now: datetime, progress: Progress | None = None) -> AssignReport:
    """Import the demo company and publish its plan, all in one transaction.

    The store is marked as holding invented people and figures, which every page says.
    """
    folder = resources.files(PACKAGE)
    tell = progress or _silent
    with resources.as_file(folder) as files:
        policy = read_policy(files / "policy.toml")
        company = tomllib.loads((files / "company.toml").read_text("utf-8"))
        with store.write() as transaction:
            terms = steps.Terms(by=company["name"], now=now)
            for kind in KINDS:
                taken = steps.take(
                    kind,
                    files / f"{kind}.csv",
                    policy,
                    mapping=lambda _names: None,
                    progress=_silent,
                )
                report = steps.save(transaction, taken, terms, progress=_silent)
                tell(report.sentence)
            transaction.set_setting(views.DEMO_NOTICE, company["notice"])
            return publish(transaction, company["name"], company["name"], now, policy, tell)
