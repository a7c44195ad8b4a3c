"""The commands ``territory data ...``: which tables of places are in use, and taking new ones."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from territory.cli.options import (
    Progress,
    answer,
    as_json,
    by_option,
    dry_run,
    first_rows,
    note,
    now,
    opened,
    person,
)
from territory.errors import FileFormatError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.geocoding.review import ReferenceUpdate

BUILD = "build"


@click.group("data")
def data_group() -> None:
    """Show the version of the location tables, and switch to newer ones.

    \b
    Example:
      territory data status
    """


@data_group.command()
@as_json
@click.pass_context
def status(context: click.Context, *, is_json: bool) -> None:
    """Show which tables are in use and how many records they would place differently.

    \b
    Example:
      territory data status --json
    """
    from territory import access
    from territory.geocoding.review import reference_update

    store = opened(context, create=False)
    report = reference_update.status(store, progress=Progress())
    if not is_json:
        for source in report.sources:
            note(source)
        if report.placed_with:
            last = report.placed_with
            who = access.person_name(last["by"], access.person_names(store))
            note(f"Rows last placed with {last['vintage']}, {last['at']} by {who}.")
        for kind, rows, stale in report.rows.itertuples(index=False, name=None):
            note(f"{kind}: {stale:,} of {rows:,} rows would be placed differently")
    answer(report.as_json(), report.sentence, is_json=is_json)


@data_group.command()
@click.option(
    "--from",
    "origin",
    metavar="FOLDER|build",
    help="Where the new tables are, or `build` to build them. Default: those in use.",
)
@click.option("--yes", is_flag=True, help="Do not ask before anything is changed.")
@click.option(
    "--report",
    "report_path",
    type=click.Path(path_type=Path),
    help="Write the rows that change to this file: csv, xlsx, parquet.",
)
@by_option
@dry_run
@as_json
@click.pass_context
def update(
    context: click.Context,
    *,
    origin: str | None,
    yes: bool,
    report_path: Path | None,
    by: str | None,
    dry_run: bool,
    is_json: bool,
) -> None:
    """Switch to new tables and place every record again; changes are listed first.

    Lists ZIP codes that appear, disappear or move, and records that move or change market.
    Published plans stay as they are: `territory assign` makes the next one.

    \b
    Examples:
      territory data update --from tables/ --dry-run --report changes.csv
      territory data update --from build
      territory data update
    """
    from territory.files import check_writable, write_table
    from territory.geocoding.review import reference_update

    if is_json and not (dry_run or yes):
        raise InputError("With --json nobody is asked: say --dry-run or --yes.")
    if report_path is not None:
        check_writable(report_path)
    store = opened(context, create=False)
    with _folder(origin) as folder:
        renewal = reference_update.preview(store, folder, progress=Progress())
        if report_path is not None:
            write_table(renewal.rows, report_path)
        if not is_json:
            _tell(renewal)
        if not dry_run:
            if not yes:
                click.confirm(f"{renewal.sentence} Change that?", abort=True, err=True)
            renewal = reference_update.update(
                store, folder, by=person(by), now=now(), progress=Progress()
            )
    answer(renewal.as_json(), renewal.sentence, is_json=is_json)


@contextmanager
def _folder(origin: str | None) -> Iterator[Path | None]:
    """Give the folder of the new tables, for as long as they are needed."""
    if origin != BUILD:
        yield Path(origin) if origin else None
        return
    script = Path(__file__).resolve().parents[2] / "scripts" / "data" / "build.py"
    if not script.is_file():
        raise FileFormatError(
            f"{script}: tables are built in a checkout of the sources only. Build them there and "
            "give the folder, or install a newer version of the package."
        )
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(script), "--into", folder]
        build = subprocess.run(command, stdout=sys.stderr, check=False)  # noqa: S603 - our own script
        if build.returncode:
            raise FileFormatError(f"{script}: did not build the tables. Nothing was changed.")
        yield Path(folder)


def _tell(renewal: ReferenceUpdate) -> None:
    """Tell what changes, on stderr: the tables first, then the rows."""
    if renewal.tables:
        note(renewal.tables.sentence)
        columns = ("zip_code", "change", "city", "state_code", "moved_m")
        for code, change, city, state, moved in first_rows(renewal.tables.zip_codes, columns):
            note(f"ZIP {code} ({city}, {state}) {change}{_miles(moved)}")
    for kind, key, name, change, moved, before, after in first_rows(
        renewal.rows,
        ("kind", "id", "name", "change", "moved_m", "market_before", "market_after"),
    ):
        where = f"; market {before or 'none'} -> {after or 'none'}" if before != after else ""
        note(f"{kind} {key} ({name}) {change}{_miles(moved)}{where}")


def _miles(moved_m: float) -> str:
    from territory.units_of_length import format_miles

    return f" by {format_miles(moved_m)}" if moved_m > 0 else ""
