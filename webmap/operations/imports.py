"""Import pages: drop a file, say what its columns are, try it, import it, look back, undo."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from flask import (
    Blueprint,
    Response,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)

from territory import imports, jobs
from territory.errors import ConflictError, InputError, TerritoryError
from territory.files import uploads
from territory.jobs import requests, tasks
from territory.store import KINDS
from webmap import context, formatting, security
from webmap.operations import import_tables
from webmap.pages import jobs as job_pages
from webmap.pages import layout
from webmap.pages import uploads as receiving

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from flask.typing import ResponseReturnValue

    from territory.files import Upload
    from territory.imports import ImportRecord, Preview
    from territory.jobs import Job

blueprint = Blueprint("imports", __name__, url_prefix="/ops/import")

HISTORY_ROWS = 25
PREVIEW_ROWS = 20
SAMPLES = 3  # values of a column that its row of the mapping shows
MOST_HEADERS = 200  # a form of ten thousand choices helps nobody
XLSX_ROWS = 100_000  # a sheet of more takes minutes to write


@blueprint.get("")
@security.allows("import_data")
def home() -> ResponseReturnValue:
    """Offer the field to drop a file on, what is under way, and every import so far."""
    page = layout.page_number()
    files = uploads.newest_first(context.settings().uploads)
    every = imports.history(context.store())
    first = (page - 1) * HISTORY_ROWS
    return render_template(
        "operations/import.html",
        place="imports.home",
        kinds=KINDS,
        limit_mb=context.settings().max_upload_mb,
        waiting=[_standing(upload) for upload in files[:HISTORY_ROWS]],
        files=len(files),
        history=every.iloc[first : first + HISTORY_ROWS].to_dict("records"),
        **layout.pager(page, HISTORY_ROWS, len(every)),
    )


def _standing(upload: Upload) -> dict[str, Any]:
    """Say how far an upload has come: received, tried, imported."""
    job = job_pages.find_job(upload.commit or upload.trial)
    return {"upload": upload, "job": job, "import_id": _import_id(job)}


def _import_id(job: Job | None) -> str | None:
    """Give the import that a job made, None where it made none."""
    return (job.outcome or {}).get("import_id") if job else None


@blueprint.post("")
@security.allows("import_data")
def upload() -> ResponseReturnValue:
    """Take a file in and go on to its columns; what cannot be read is told and not kept.

    Where an earlier file had all of its headers, it is tried at once: only what is new is shown.
    """
    kind = _kind()
    file = receiving.keep(kind, is_full="is_full" in request.form)
    try:
        preview = _preview(file)
    except TerritoryError:
        uploads.discard(file)
        raise
    if preview.news.is_familiar and not preview.problem and not preview.warnings:
        return _run(file, dry_run=True)
    return redirect(url_for(".file_", upload_id=file.upload_id), 303)


def _kind() -> str:
    kind = request.form.get("kind", "")
    if kind not in KINDS:
        raise InputError(f"kind: {kind[:40]!r} is none of {', '.join(KINDS)}.")
    return kind


def _upload(upload_id: str) -> Upload:
    return uploads.find(context.settings().uploads, upload_id)


def _preview(upload: Upload, *, is_chosen: bool = True) -> Preview:
    """Read the first rows, under the mapping that a person chose or the one we would choose."""
    with uploads.name_in_errors(upload):
        return imports.preview(
            context.store(),
            upload.kind,
            upload.path,
            mapping=upload.mapping if is_chosen else None,
            rows=PREVIEW_ROWS,
        )


@blueprint.get("/files/<upload_id>")
@security.allows("import_data")
def file_(upload_id: str) -> ResponseReturnValue:
    """Show which header is which column, with the first rows of the file."""
    upload = _upload(upload_id)
    preview = _preview(upload)
    return render_template(
        "operations/import_file.html",
        place="imports.home",
        upload=upload,
        kinds=KINDS,
        preview=preview,
        headers=_headers(preview),
        columns_offered=min(len(preview.headers), MOST_HEADERS),
        columns=preview.columns.to_dict("records"),
        problem=preview.problem,
        samples=formatting.cells(preview.rows.iloc[:, :MOST_HEADERS]),
        lines=preview.rows.index.tolist(),
    )


def _headers(preview: Preview) -> list[dict[str, Any]]:
    """Give the headers to choose for: those that are used first, each where the file has it."""
    numbered = list(enumerate(preview.headers))
    first_headers = sorted(numbered, key=lambda one: one[1] not in preview.mapping)[:MOST_HEADERS]
    return [
        {
            "number": number,
            "name": name,
            "column": preview.mapping.get(name),
            "is_new": bool(preview.news.since) and name in preview.news.headers,
            "samples": preview.rows.iloc[:, number].dropna().unique()[:SAMPLES].tolist(),
        }
        for number, name in sorted(first_headers)
    ]


@blueprint.post("/files/<upload_id>/kind")
@security.allows("import_data")
def kind(upload_id: str) -> ResponseReturnValue:
    """Read the file as another kind of rows; what its columns are is worked out anew."""
    uploads.save(dataclasses.replace(_upload(upload_id), kind=_kind(), mapping=None, trial=None))
    return redirect(url_for(".file_", upload_id=upload_id), 303)


@blueprint.post("/files/<upload_id>/try")
@security.allows("import_data")
def try_(upload_id: str) -> ResponseReturnValue:
    """Keep what was chosen and try the file, if nothing speaks against it."""
    upload = _upload(upload_id)
    mapping = _mapping(upload)
    # A warning that nobody has seen yet comes before the dry run; pressing again goes on.
    seen = set(_preview(upload).warnings)
    upload = dataclasses.replace(upload, mapping=mapping, is_full="is_full" in request.form)
    uploads.save(upload)
    preview = _preview(upload)
    if preview.problem or not seen.issuperset(preview.warnings):
        return redirect(url_for(".file_", upload_id=upload_id, _anchor="problem"), 303)
    return _run(upload, dry_run=True)


def _mapping(upload: Upload) -> Mapping[str, str] | None:
    """Read the choices; None where they are what would be chosen anyway."""
    automatic = _preview(upload, is_chosen=False)
    mapping = {
        header: request.form.get(f"column-{number}", automatic.mapping.get(header, ""))
        for number, header in enumerate(automatic.headers)
    }
    used = {header: column for header, column in mapping.items() if column}
    return None if used == dict(automatic.mapping) else mapping


def _run(upload: Upload, *, dry_run: bool) -> ResponseReturnValue:
    """Hand the file to the worker, unless it has it already."""
    _refuse_busy(upload)
    run = f"run-{context.now():%Y%m%d%H%M%S%f}"
    job_id = requests.ask(
        context.store(),
        tasks.IMPORT,
        {
            "upload_id": upload.upload_id,
            "kind": upload.kind,
            "mapping": dict(upload.mapping) if upload.mapping is not None else None,
            "is_full": upload.is_full,
            "dry_run": dry_run,
            "by": security.person(),
            "run": run,
            "name": upload.name,
            "sha256": upload.sha256,
        },
        unless=None if dry_run else lambda job: _same(job, upload),
        **security.on_record(),
    )
    trial, commit = (job_id, upload.commit) if dry_run else (upload.trial, job_id)
    uploads.save(dataclasses.replace(upload, trial=trial, commit=commit))
    return redirect(url_for("job_pages.show", job_id=job_id), 303)


def _same(job: Job, upload: Upload) -> str | None:
    """Say of a job that it imports this upload, or right now another one of the same file."""
    asked, import_id = job.arguments, _import_id(job)
    if asked["dry_run"]:
        return None
    is_this = asked["upload_id"] == upload.upload_id
    is_twin = (asked["kind"], asked.get("sha256")) == (upload.kind, upload.sha256)
    if job.is_open and (is_this or is_twin):
        return f"{upload.name} is being imported already ({job.job_id}). It is imported once."
    if not is_this or not import_id:
        return None
    is_undone = imports.import_record(context.store(), import_id).undone_at is not None
    return None if is_undone else f"{upload.name} was imported already: it is {import_id}."


def _refuse_busy(upload: Upload) -> None:
    for job_id in (upload.trial, upload.commit):
        job = job_pages.find_job(job_id)
        if job is not None and job.is_open:
            raise ConflictError(
                f"{upload.name} is being read ({job.job_id}). Wait for it, or stop it first."
            )


@blueprint.get("/files/<upload_id>/trial")
@security.allows("import_data")
def trial(upload_id: str) -> ResponseReturnValue:
    """Show what an import would do: where every row would go, and every cell it would change."""
    upload = _upload(upload_id)
    job = job_pages.find_job(upload.trial)
    if job is None:
        return redirect(url_for(".file_", upload_id=upload_id))
    if job.state != jobs.DONE or job.outcome is None:
        return redirect(url_for("job_pages.show", job_id=job.job_id))
    selection = import_tables.TableRequest.read(job.outcome["buckets"])
    return render_template(
        "operations/import_trial.html",
        place="imports.home",
        upload=upload,
        outcome=job.outcome,
        ended_at=job.ended_at,
        buckets=import_tables.buckets(job.outcome["buckets"], is_trial=True),
        selection=selection,
        table=selection.of_files(upload.tables(job.arguments["run"])),
        here=(".trial", {"upload_id": upload_id}),
    )


@blueprint.post("/files/<upload_id>/commit")
@security.allows("import_data")
def commit(upload_id: str) -> ResponseReturnValue:
    """Import the file for good."""
    return _run(_upload(upload_id), dry_run=False)


@blueprint.post("/files/<upload_id>/discard")
@security.allows("import_data")
def discard(upload_id: str) -> ResponseReturnValue:
    """Remove the file from the server; what was imported of it stays."""
    upload = _upload(upload_id)
    _refuse_busy(upload)
    uploads.discard(upload)
    return redirect(url_for(".home"), 303)


@blueprint.get("/<import_id>")
@security.allows("import_data")
def result(import_id: str) -> ResponseReturnValue:
    """Show where every row of an import went."""
    record = imports.import_record(context.store(), import_id)
    file = uploads.of_digest(context.settings().uploads, record.digest)
    folder = _tables(file, record)
    selection = import_tables.TableRequest.read(record.buckets)
    return render_template(
        "operations/import_result.html",
        place="imports.home",
        record=record,
        buckets=import_tables.buckets(record.buckets),
        open_rows=import_tables.open_rows(record.buckets),
        is_placed=KINDS[record.kind].is_placed,
        file=file,
        xlsx_rows=XLSX_ROWS,
        selection=selection,
        has_differences=folder is not None,
        table=selection.of_files(folder)
        if folder
        else selection.of_store(context.store(), import_id),
        here=(".result", {"import_id": import_id}),
    )


def _tables(upload: Upload | None, record: ImportRecord) -> Path | None:
    """Find the tables that the job of this very import left."""
    job = job_pages.find_job(upload.commit) if upload else None
    if upload is None or job is None or _import_id(job) != record.import_id:
        return None
    folder = upload.tables(job.arguments["run"])
    return folder if folder.is_dir() else None


@blueprint.get("/<import_id>/report.<any(csv,xlsx):suffix>")
@security.allows("import_data")
def report(import_id: str, suffix: str) -> Response:
    """Give the file as it was, with what became of each row beside it."""
    record = imports.import_record(context.store(), import_id)
    if suffix == "xlsx" and record.rows > XLSX_ROWS:
        raise InputError(
            f"{import_id} has {record.rows:,} rows; a sheet is written for up to {XLSX_ROWS:,}. "
            "The CSV file holds them all."
        )
    file = uploads.of_digest(context.settings().uploads, record.digest)
    folder = file.folder if file else context.settings().var_dir / "reports"
    path = import_tables.write_once(
        folder / f"{import_id}.{suffix}",
        lambda: (
            imports.report_table(context.store(), import_id, file.path)
            if file
            else imports.outcomes(context.store(), import_id)
        ),
    )
    name = record.source.rsplit(".", 1)[0]
    return send_file(path, as_attachment=True, download_name=f"{name}-{import_id}.{suffix}")


@blueprint.get("/<import_id>/undo")
@security.allows("import_data")
def ask_undo(import_id: str) -> ResponseReturnValue:
    """Say what an undo would do, or what stands in its way."""
    record = imports.import_record(context.store(), import_id)
    report, hindrance = None, None
    try:
        report = imports.undo(
            context.store(),
            import_id,
            by=security.person(),
            now=context.now(),
            dry_run=True,
        )
    except ConflictError as error:
        hindrance = error.sentence
    return render_template(
        "operations/import_undo.html",
        place="imports.home",
        record=record,
        report=report,
        hindrance=hindrance,
    )


@blueprint.post("/<import_id>/undo")
@security.allows("import_data")
def undo(import_id: str) -> ResponseReturnValue:
    """Take the whole import back."""
    imports.undo(context.store(), import_id, **security.on_record())
    return redirect(url_for(".result", import_id=import_id), 303)
