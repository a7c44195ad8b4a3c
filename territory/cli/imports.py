"""The commands that bring files in: ``import``, ``mapping`` and ``imports ...``."""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager, nullcontext
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
    named,
    note,
    now,
    opened,
    person,
)
from territory.labels import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.imports import ImportReport
    from territory.store import Store

kind_argument = click.argument("kind", type=click.Choice(KINDS), metavar="KIND")
file_argument = click.argument("file", type=click.Path(path_type=Path))
id_argument = click.argument("import_id", metavar="ID")


@click.command("import")
@kind_argument
@file_argument
@click.option(
    "--mapping",
    "mapping_path",
    type=click.Path(path_type=Path),
    help="TOML file that matches columns to fields; `territory mapping` prints one.",
)
@click.option(
    "--full",
    "is_full",
    is_flag=True,
    help="FILE is the complete list: report the records missing from it.",
)
@click.option(
    "--report",
    "report_path",
    type=click.Path(path_type=Path),
    help="Write the rows of FILE with the result of each: csv, xlsx, parquet.",
)
@by_option
@dry_run
@as_json
@click.pass_context
def import_(
    context: click.Context,
    *,
    kind: str,
    file: Path,
    mapping_path: Path | None,
    is_full: bool,
    report_path: Path | None,
    by: str | None,
    dry_run: bool,
    is_json: bool,
) -> None:
    """Read FILE into the store. The same file twice changes nothing.

    KIND is one of offices, prospects, reps, markets, territories, named_accounts, sites, contacts,
    opportunities, quotas. A row that cannot be used is rejected with its line number; the
    others are imported. `territory imports undo` undoes an import.

    \b
    Examples:
      territory import offices offices.csv
      territory import prospects accounts.xlsx --dry-run --report where.xlsx
      territory import prospects accounts.csv --full --mapping accounts.toml
    """
    from territory.files import check_writable
    from territory.imports import (
        import_file,
        read_mapping,
        write_report,
    )

    mapping = read_mapping(mapping_path, kind) if mapping_path else None
    if report_path is not None:
        check_writable(report_path)
    with _looking_only(context) if dry_run else nullcontext(opened(context)) as store:
        report = import_file(
            store,
            kind,
            file,
            by=person(by),
            now=now(),
            mapping=mapping,
            is_full=is_full,
            dry_run=dry_run,
            progress=Progress(),
            warn=_warn,
        )
    if report_path is not None:
        write_report(report, report_path, original=file)
    if not is_json:
        _tell(report)
    answer(report.as_json(), report.sentence, is_json=is_json)


def _warn(sentence: str) -> None:
    """Tell what is likely to be wrong before a file is read, in red."""
    click.secho(sentence, fg="red", bold=True, err=True)


def _tell(report: ImportReport) -> None:
    """Tell what a person should look at, on stderr: first what values the file takes away."""
    from territory.imports import TRANSLATIONS

    if report.clearing:
        note(report.clearing)
    for line, reason, remedy in first_rows(report.refused, ("line", "reason", "remedy")):
        note(f"line {line}: {reason}. {remedy}")
    for line, column, value, stays in first_rows(
        report.unreadable, ("line", "column", "value", "stays")
    ):
        is_blank = stays is None or stays != stays
        what = "the field stays blank" if is_blank else f"{stays} stays on file"
        note(f"line {line}: {column} {value!r} cannot be read: {what}.")
    if report.missing:
        note(f"Not in the file: {_some(report.missing)}.")
    if report.ignored:
        note(f"Columns not used: {', '.join(report.ignored)}.")
    for remark in report.remarks:
        note(remark)
    for column, written, meaning, rows in first_rows(report.translations, TRANSLATIONS):
        words = f"is read as {meaning}" if meaning else "is not recognized"
        note(f"{column} {written!r} {words} ({rows:,} {'row' if rows == 1 else 'rows'}).")
    for sentence in report.news.sentences:
        note(sentence)
    if report.owners.sentence:
        note(report.owners.sentence)


def _some(names: tuple[str, ...], most: int = 10) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


@contextmanager
def _looking_only(context: click.Context) -> Iterator[Store]:
    """Open the store without making one: where there is none, an empty one that is thrown away."""
    from territory.store import DEFAULT_URL, open_store, read_url

    url = read_url(context.obj or DEFAULT_URL)
    if url.get_backend_name() != "sqlite" or Path(str(url.database)).exists():
        yield opened(context, create=False)
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        open_store(str(Path(folder) / "empty.sqlite")) as store,
    ):
        yield store


@click.command("mapping")
@kind_argument
@file_argument
@as_json
@click.pass_context
def mapping(context: click.Context, *, kind: str, file: Path, is_json: bool) -> None:
    """Print how the columns of FILE would be matched, as TOML to edit.

    A header mapped to "" is not used. `territory import --mapping` reads the edited file, and the
    store remembers it for the next file with the same headers.

    \b
    Example:
      territory mapping prospects accounts.csv > accounts.toml
    """
    from territory.imports import (
        mapping_text,
        preview,
    )

    with _looking_only(context) as store:
        table = preview(store, kind, file)
    if table.problem:
        note(table.problem)
    for sentence in table.warnings:
        _warn(sentence)
    report = {
        "kind": kind,
        "origin": table.origin,
        "mapping": {header: table.mapping.get(header, "") for header in table.headers},
        "missing": list(table.missing),
        "problem": table.problem,
        "warnings": list(table.warnings),
    }
    answer(report, mapping_text(table).rstrip("\n"), is_json=is_json)


@click.group("imports")
def imports() -> None:
    """List imports, get the result for every row, undo an import.

    \b
    Example:
      territory imports list
    """


@imports.command("list")
@click.option("--kind", type=click.Choice(KINDS), metavar="KIND", help="Of this kind only.")
@as_json
@click.pass_context
def list_(context: click.Context, *, kind: str | None, is_json: bool) -> None:
    """List the imports, the newest first.

    \b
    Example:
      territory imports list --kind prospects
    """
    from territory.imports import (
        history,
        import_record,
    )

    store = opened(context, create=False)
    frame = history(store, kind)
    if is_json:
        click.echo(json.dumps(frame.to_dict("records"), indent=2))
        return
    for (import_id,) in first_rows(frame, ("import_id",)):
        record = import_record(store, import_id)
        click.echo(named(store, record, "imported_by", "undone_by").sentence)
    click.echo(f"{len(frame):,} imports.")


@imports.command()
@id_argument
@as_json
@click.pass_context
def show(context: click.Context, *, import_id: str, is_json: bool) -> None:
    """Show the result of one import: which rows to review, line by line.

    \b
    Example:
      territory imports show import-3
    """
    import dataclasses

    from territory.imports import (
        import_record,
        missing_keys,
        outcomes,
    )

    store = opened(context, create=False)
    record = import_record(store, import_id)
    rows = outcomes(store, import_id)
    absent = missing_keys(store, import_id)
    if is_json:
        records = rows.to_dict("records")
        whole = {**dataclasses.asdict(record), "missing_keys": list(absent), "outcomes": records}
        click.echo(json.dumps(whole, indent=2))
        return
    is_fine = rows["bucket"].isin(("placed", "approximate", "accepted"))
    for line, bucket, reason in first_rows(rows[~is_fine], ("line", "bucket", "reason")):
        click.echo(f"line {line}: {bucket}: {reason}")
    if absent:
        click.echo(f"Not in the file: {_some(absent)}.")
    click.echo(named(store, record, "imported_by", "undone_by").sentence)


@imports.command()
@id_argument
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@click.option(
    "--original",
    type=click.Path(path_type=Path),
    help="The file that was imported: its columns come first, untouched.",
)
@as_json
@click.pass_context
def report(
    context: click.Context, *, import_id: str, target: Path, original: Path | None, is_json: bool
) -> None:
    """Write the result for every row to OUT: csv, xlsx or parquet by its suffix.

    \b
    Example:
      territory imports report import-3 where.xlsx --original accounts.csv
    """
    from territory.imports import (
        outcomes,
        report_table,
        write_report,
    )

    store = opened(context, create=False)
    frame = report_table(store, import_id, original) if original else outcomes(store, import_id)
    rows = write_report(frame, target)
    answer({"rows": rows, "file": str(target)}, f"{rows:,} rows in {target}.", is_json=is_json)


@imports.command()
@id_argument
@by_option
@dry_run
@as_json
@click.pass_context
def undo(
    context: click.Context, *, import_id: str, by: str | None, dry_run: bool, is_json: bool
) -> None:
    """Undo an import: remove the records it added and restore the ones it changed.

    \b
    Example:
      territory imports undo import-3 --dry-run
    """
    from territory.imports import (
        undo as imports_undo,
    )

    store = opened(context, create=False)
    report = imports_undo(store, import_id, by=person(by), now=now(), dry_run=dry_run)
    answer(report.as_json(), report.sentence, is_json=is_json)
