"""The command ``territory``: a shell on the library, nothing else.

Everything heavy is imported inside the command that needs it, so that ``--help`` is quick. Packages
beside the library add commands by the entry point group `ADDED`, as the app adds ``serve``.
"""

from __future__ import annotations

import functools
import json
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from territory.cli.activities import next_group, note_group
from territory.cli.audit import audit_group
from territory.cli.data import data_group
from territory.cli.duplicates import duplicates_group, family
from territory.cli.eligibility import eligibility
from territory.cli.export import export_group
from territory.cli.geocode import geocode
from territory.cli.imports import import_, imports, mapping
from territory.cli.jobs import jobs_group, work
from territory.cli.options import Progress, answer, as_json, dry_run, note, now, opened, person
from territory.cli.places import places
from territory.cli.profile import profile_command
from territory.cli.tokens import tokens_group
from territory.cli.users import users_group
from territory.errors import InputError, NotFoundError, TerritoryError
from territory.labels import SEVERITY

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import EntryPoint

    import pandas as pd

ADDED = "territory.commands"  # the entry point group of commands from other packages
BAD_INPUT = 2
EXAMPLES = 3  # findings of one code


class Commands(click.Group):
    """The commands of the library, and those of installed packages (group `ADDED`)."""

    @functools.cached_property
    def _added(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=ADDED)}

    def list_commands(self, context: click.Context) -> list[str]:
        """Name the commands, sorted."""
        return sorted({*super().list_commands(context), *self._added})

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Find a command by its name; one of another package is loaded now."""
        command = super().get_command(context, name)
        if command is None and name in self._added:
            command = self._added[name].load()
        return command


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--store",
    "store_url",
    envvar="TERRITORY_STORE",
    metavar="URL",
    help="Where the data is: a SQLite file or postgresql://user@host/database. "
    "Default: $TERRITORY_STORE, or sqlite:///var/territory.sqlite.",
)
@click.version_option(package_name="territory-mapper", prog_name="territory")
@click.pass_context
def cli(context: click.Context, store_url: str | None) -> None:
    """Sales territories and target markets, decided on the ellipsoid and explained.

    \b
    Example:
      territory demo && territory serve
    """
    context.obj = store_url


cli.add_command(eligibility)
cli.add_command(export_group)
cli.add_command(import_)
cli.add_command(imports)
cli.add_command(mapping)
cli.add_command(data_group)
cli.add_command(geocode)
cli.add_command(places)
cli.add_command(profile_command)
cli.add_command(duplicates_group)
cli.add_command(family)
cli.add_command(jobs_group)
cli.add_command(work)
cli.add_command(users_group)
cli.add_command(tokens_group)
cli.add_command(audit_group)
cli.add_command(note_group)
cli.add_command(next_group)


@cli.command()
@click.option("--if-empty", is_flag=True, help="Do nothing if the store already holds data.")
@as_json
@click.pass_context
def demo(context: click.Context, *, if_empty: bool, is_json: bool) -> None:
    """Load the example company: real headquarters, invented reps and pipeline.

    \b
    Example:
      territory demo --if-empty
    """
    from territory import imports, load_demo

    store = opened(context)
    if if_empty and not imports.is_empty(store):
        answer({"loaded": False}, f"{store.shown} holds data already.", is_json=is_json)
        return
    report = load_demo(store, now=now(), progress=note)
    answer({"loaded": True, **report.as_json()}, report.sentence, is_json=is_json)


@cli.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@click.option(
    "--offices",
    required=True,
    type=click.Path(path_type=Path),
    help="File with office_id, name, lat and lon, or an address.",
)
@click.option(
    "--radius", required=True, metavar="LENGTH", help="Distance limit: 50mi, 80km, 1200m."
)
@click.option(
    "--all-pairs", is_flag=True, help="One row per point and office within the radius instead."
)
@as_json
def screen(
    *, source: Path, target: Path, offices: Path, radius: str, all_pairs: bool, is_json: bool
) -> None:
    """Find the nearest office of every row of IN and write it all to OUT. Needs no store.

    Adds nearest_office_id, distance_mi, within_radius, offices_within, uncertainty_mi and verdict
    to the rows and columns of IN, in their order.

    \b
    Examples:
      territory screen companies.csv near.csv --offices offices.csv --radius 50mi
      territory screen homes.parquet near.parquet --offices offices.csv --radius 80km --all-pairs
    """
    from territory.batch import screen as run
    from territory.units_of_length import parse_length

    radius_m = parse_length(radius)
    report = run(source, target, offices, radius_m, all_pairs=all_pairs, progress=Progress().rows)
    answer(report.as_json(), report.sentence, is_json=is_json)


@cli.command()
@click.option("--name", help="Name of the plan. Default: today's date.")
@click.option(
    "--by", "published_by", help="Name to record as publisher. Default: the login on this machine."
)
@click.option(
    "--policy",
    "policy_path",
    type=click.Path(path_type=Path),
    help="TOML file with the rules. Default: the policy of the plan in force.",
)
@dry_run
@as_json
@click.pass_context
def assign(
    context: click.Context,
    *,
    name: str | None,
    published_by: str | None,
    policy_path: Path | None,
    dry_run: bool,
    is_json: bool,
) -> None:
    """Assign every prospect to a territory and rep, and publish the result as the next plan.

    \b
    Example:
      territory assign --name 2027-Q1 --policy policy.toml
    """
    from territory import plans
    from territory.policy import read_policy

    report = plans.assign(
        opened(context, create=False),
        name=name,
        published_by=person(published_by),
        now=now(),
        policy=read_policy(policy_path) if policy_path else None,
        dry_run=dry_run,
        progress=Progress(),
    )
    answer(report.as_json(), report.sentence, is_json=is_json)


@cli.command()
@as_json
@click.pass_context
def check(context: click.Context, *, is_json: bool) -> None:
    """List findings about the data as they are now: problems, and how to fix each.

    Findings that must be solved come first; those for your information need no action.

    \b
    Example:
      territory check --json > findings.json
    """
    from territory import plans

    report = plans.check_report(opened(context, create=False), now=now())
    if is_json:
        tables = {
            "totals": report.sums.to_dict("records"),
            "findings": report.findings.to_dict("records"),
        }
        click.echo(json.dumps(tables, indent=2))
        return
    for title, severity, code in _all(report.sums, ("title", "severity", "code")):
        click.echo(f"{SEVERITY[severity]}: {title}")
        of_code = report.findings[report.findings["code"] == code]
        for (message,) in _all(of_code.head(EXAMPLES), ("message",)):
            click.echo(f"  {message}")
        if len(of_code) > EXAMPLES:
            click.echo(f"  ... and {len(of_code) - EXAMPLES:,} more.")
        click.echo(f"  What to do: {of_code['remedy'].iloc[0]}")
    found = report.findings["severity"].value_counts()
    parts = (f"{found.get(code, 0):,} {words.lower()}" for code, words in SEVERITY.items())
    click.echo(f"{len(report.findings):,} findings: {', '.join(parts)}.")


def _all(frame: pd.DataFrame, columns: Iterable[str]) -> list[tuple[Any, ...]]:
    return list(frame[list(columns)].itertuples(index=False, name=None))


@cli.command()
@click.argument("prospect_id", metavar="ID")
@as_json
@click.pass_context
def explain(context: click.Context, *, prospect_id: str, is_json: bool) -> None:
    """Explain who owns a prospect and why: every rule in order, and the plan.

    \b
    Example:
      territory explain walmart
    """
    import dataclasses

    from territory import plans
    from territory.access import Scope

    explanation = plans.explain(
        opened(context, create=False), prospect_id, scope=Scope.everything()
    )
    answer(dataclasses.asdict(explanation), "\n".join(explanation.lines()), is_json=is_json)


def main(arguments: list[str] | None = None) -> None:
    """Run a command: exit code 2 and one line on stderr for bad input, 1 for other failures."""
    try:
        cli.main(arguments, prog_name="territory", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(BAD_INPUT)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "territory"
        _fail(f"{error.format_message()} See {command} --help.", BAD_INPUT)
    except click.ClickException as error:
        _fail(error.format_message(), error.exit_code)
    except click.Abort:
        _fail("stopped.", 1)
    except TerritoryError as error:
        bad_input = isinstance(error, InputError | NotFoundError)
        _fail(str(error), BAD_INPUT if bad_input else 1)


def _fail(message: str, code: int) -> None:
    click.echo(f"territory: {' '.join(message.split())}", err=True)
    sys.exit(code)
