"""The command ``territory geocode``: ask online geocoders where rows are."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from territory.cli.options import Progress, answer, as_json, by_option, dry_run, now, opened, person

if TYPE_CHECKING:
    from territory.policy import Policy
    from territory.store import Store

FAILED = 1
PLACED_KINDS = ("offices", "prospects", "sites")


@click.command()
@click.argument(
    "kind", type=click.Choice(PLACED_KINDS), metavar="[KIND]", default="prospects", required=False
)
@click.option(
    "--provider",
    "providers",
    multiple=True,
    metavar="NAME",
    help="Ask this geocoder, by geopy's name: nominatim, photon, arcgis, googlev3, herev7 ... "
    "Several are asked in the order given. Default: those of the policy.",
)
@click.option(
    "--budget",
    type=click.IntRange(0),
    metavar="N",
    help="Send at most N requests, retries included. Default: the policy's, 1000.",
)
@click.option(
    "--policy",
    "policy_path",
    type=click.Path(path_type=Path),
    help="TOML file with the rules. Default: the policy of the plan in force.",
)
@by_option
@dry_run
@as_json
@click.pass_context
def geocode(
    context: click.Context,
    *,
    kind: str,
    providers: tuple[str, ...],
    budget: int | None,
    policy_path: Path | None,
    by: str | None,
    dry_run: bool,
    is_json: bool,
) -> None:
    """Ask online geocoders about records they may locate better than the offline tables.

    The addresses go to the providers named, and nowhere else; without a provider nobody is asked.
    Answers are kept, and an interrupted run resumes where it stopped. KIND is offices,
    prospects (the default) or sites. Exit code 1 if a provider failed; its rows stay pending.

    \b
    Examples:
      territory geocode --provider nominatim --budget 500 --dry-run
      territory geocode --policy policy.toml
    """
    from territory.geocoding import review

    store = opened(context, create=False)
    report = review.geocode(
        store,
        kind=kind,
        policy=_policy(store, policy_path, providers),
        budget=budget,
        by=person(by),
        now=now(),
        dry_run=dry_run,
        progress=Progress(),
    )
    answer(report.as_json(), report.sentence, is_json=is_json)
    if report.errors:
        sys.exit(FAILED)


def _policy(store: Store, path: Path | None, providers: tuple[str, ...]) -> Policy:
    """Give the policy of the file, or the one in force, with the providers named."""
    from territory.plans import policy_in_force
    from territory.policy import read_policy

    policy = read_policy(path) if path else policy_in_force(store)
    if not providers:
        return policy
    online = policy.geocoding.online.choosing(providers)
    geocoding = dataclasses.replace(policy.geocoding, online=online)
    return dataclasses.replace(policy, geocoding=geocoding)
