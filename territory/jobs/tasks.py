"""The tasks of jobs: import an upload, ask the online geocoders, decide a batch of homes."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from territory.eligibility.desk import EligibilitySettings, decide_batch, upload_files
from territory.files import uploads
from territory.imports import import_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from territory.imports import ImportReport
    from territory.jobs.requests import JobProgress, Task
    from territory.store import Store, Transaction

UPLOADS = "uploads"  # below the folder of what the server keeps
IMPORT, GEOCODE, DECIDE = "import", "geocode", "decide"
# The tables that an import leaves for the pages.
PARTS = ("outcomes", "differences", "missing", "unreadable")


def tasks_by_name(
    folder: Path, clock: Callable[[], datetime], eligibility: EligibilitySettings | None = None
) -> dict[str, Task]:
    """Give every task by its name.

    Parameters
    ----------
    folder
        What the server keeps its files in; uploads are below it.
    eligibility
        What decides eligibility beside the store; by default as the environment has it.
    """
    eligibility = eligibility or EligibilitySettings.from_environment(folder)

    def import_upload(
        store: Store, arguments: Mapping[str, Any], progress: JobProgress
    ) -> dict[str, Any]:
        upload = uploads.find(folder / UPLOADS, arguments["upload_id"])
        tables = upload.tables(arguments["run"])

        def end_with_rows(transaction: Transaction, report: ImportReport) -> None:
            progress("Writing the report")
            leave(report, tables)
            progress.end(transaction, summary(report))

        with uploads.name_in_errors(upload):
            report = import_file(
                store,
                arguments["kind"],
                upload.path,
                by=arguments["by"],
                now=clock(),
                mapping=arguments["mapping"],
                is_full=arguments["is_full"],
                dry_run=arguments["dry_run"],
                source=upload.name,
                progress=progress,
                on_record=end_with_rows,
            )
        if report.is_dry_run:
            progress("Writing the report")
            leave(report, tables)
        return summary(report)

    def geocode(
        store: Store, arguments: Mapping[str, Any], progress: JobProgress
    ) -> dict[str, Any]:
        from territory.geocoding.review import geocode as ask  # geopy is seldom needed

        report = ask(
            store,
            by=arguments["by"],
            now=clock(),
            kind=arguments["kind"],
            progress=progress,
        )
        return {"sentence": report.sentence, **report.as_json()}

    def decide(store: Store, arguments: Mapping[str, Any], progress: JobProgress) -> dict[str, Any]:
        upload = uploads.find(folder / upload_files.FOLDER, arguments["batch_id"])
        request = eligibility.request(
            by=arguments["by"],
            now=datetime.fromisoformat(arguments["at"]),  # so that a second attempt says the same
            policy_name=arguments["policy"],
            on=arguments["on"],
            batch_id=arguments["batch_id"],
        )
        with eligibility.open_homes() as homes, uploads.name_in_errors(upload):
            report = decide_batch(
                store,
                homes,
                upload.path,
                upload_files.verdicts_of(upload),
                request,
                is_exact=arguments["is_exact"],
                mapping=upload.mapping,
                progress=progress,
                rows_done=progress.rows,
            )
        return {"sentence": report.sentence, **report.as_json()}

    return {IMPORT: import_upload, GEOCODE: geocode, DECIDE: decide}


def leave(report: ImportReport, folder: Path) -> None:
    """Write the tables of a report, which may be long, as Parquet for the pages to read."""
    folder.mkdir(exist_ok=True)
    tables = {
        "outcomes": report.outcomes,
        "differences": report.differences.map(_text, na_action="ignore"),
        "missing": pd.DataFrame({"key": pd.Series(report.missing, dtype=object)}),
        "unreadable": report.unreadable.map(_text, na_action="ignore"),
    }
    for name in PARTS:
        tables[name].to_parquet(folder / f"{name}.parquet", index=False)


def _text(value: Any) -> str:
    """Write a cell of any type as a person would; columns of several types are not for Parquet."""
    is_whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if is_whole else str(value)


def summary(report: ImportReport) -> dict[str, Any]:
    """Say in a few figures what became of a file."""
    return {
        "import_id": report.import_id,
        "kind": report.kind,
        "source": report.source,
        "rows": report.rows,
        "buckets": dict(report.buckets),
        "changes": dict(report.changes),
        "reconciles": report.is_reconciled,
        "is_full": report.is_full,
        "missing": len(report.missing),
        "cleared": dict(report.cleared),
        "unreadable": len(report.unreadable),
        "differences": len(report.differences),
        "remarks": list(report.remarks),
        "warnings": list(report.warnings),
        "translations": report.translations.to_dict("records"),
        "owners": report.owners.as_json(),
        "news": report.news.as_json(),
        "ignored": list(report.ignored),
        "mapping": dict(report.mapping),
        "sentence": report.sentence,
    }
