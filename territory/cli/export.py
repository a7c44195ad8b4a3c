"""The commands ``territory export ...``: what leaves the system as a file."""

from __future__ import annotations

from pathlib import Path

import click

from territory.cli.options import answer, as_json, call

EXPORTS = (
    "prospects", "markets", "findings", "offices", "reps", "territories", "named_accounts", "sites",
    "contacts", "opportunities", "quotas", "notes", "next_steps",
)  # fmt: skip
PAPERS = ("letter", "a4")


@click.group("export")
def export_group() -> None:
    """Write the plan in force, or what was imported, to a file.

    The suffix of the file picks the format: csv, xlsx, geojson, kml, gpkg, parquet. Rows without a
    location are in a map's file too, without a point, and the answer says how many there are.

    \b
    Examples:
      territory export prospects prospects.xlsx
      territory export prospects prospects.gpkg
      territory export book M-BAY bay.pdf
    """


def _command(kind: str) -> click.Command:
    """Make the command that writes one kind."""

    @click.command(kind, short_help=f"The {kind.replace('_', ' ')}.")
    @click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
    @as_json
    @click.pass_context
    def run(context: click.Context, *, target: Path, is_json: bool) -> None:
        from territory import reports

        report = call(context, reports.export, kind, target)
        answer(report.as_json(), report.sentence, is_json=is_json)

    run.help = (
        f"Write the {kind.replace('_', ' ')} to OUT.\n\n\b\nExample:\n"
        f"  territory export {kind} {kind}.csv"
    )
    return run


@click.command("book", short_help="A market as PDF: map, profile, accounts.")
@click.argument("market_id", metavar="MARKET")
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--paper", type=click.Choice(PAPERS), default=PAPERS[0], show_default=True)
@as_json
@click.pass_context
def book(
    context: click.Context, *, market_id: str, target: Path, paper: str, is_json: bool
) -> None:
    """Write the book of MARKET to OUT, a PDF.

    A cover with the map, the profile of the market, and every account, best score first, with why
    it is whose it is.

    \b
    Example:
      territory export book M-BAY bay.pdf --paper a4
    """
    from territory import reports

    report = call(context, reports.export_book, market_id, target, paper=paper)
    answer(report.as_json(), report.sentence, is_json=is_json)


export_group.add_command(book)
for _kind in EXPORTS:
    export_group.add_command(_command(_kind))
