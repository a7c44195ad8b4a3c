"""A batch of homes: drop a file, say what its columns are, let it be decided, take it away.

The pages are for those who may see homes, since the file and the one with verdicts hold addresses.
No address is part of an address of these pages, of a job or of its errors.
"""

from __future__ import annotations

import datetime as dt
import mimetypes
from typing import TYPE_CHECKING, Any

from flask import (
    Response,
    abort,
    jsonify,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)

from territory import jobs
from territory.eligibility import desk
from territory.eligibility.desk import upload_files
from territory.eligibility.homes import PERSON, PLACE
from territory.eligibility.rules import DECISIONS
from territory.errors import ConflictError, InputError, TerritoryError
from territory.files import uploads
from territory.jobs import requests, tasks
from territory.timestamps import utc_text
from webmap import context, formatting, security
from webmap.hr.desk import blueprint as desk_blueprint
from webmap.hr.desk import read_day
from webmap.pages import jobs as job_pages
from webmap.pages import uploads as receiving

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue

    from territory.eligibility.desk import HomesPreview
    from territory.files import Upload
    from territory.jobs import Job

blueprint = desk_blueprint("hr_batches", __name__, "/hr/batches")

COLUMNS = (*PLACE, *PERSON)
SAMPLES = 3  # values of a column that its row of the mapping shows
MOST_HEADERS = 200  # a form of ten thousand choices helps nobody


@blueprint.get("")
@security.allows("see_homes")
def home() -> ResponseReturnValue:
    """Offer the field to drop a file on, and the batches that lie on the server."""
    upload_files.sweep(context.settings().home_files, context.now())
    batches = uploads.newest_first(context.settings().home_files)
    return render_template(
        "hr/batches.html",
        place="hr_batches.home",
        limit_mb=context.settings().max_upload_mb,
        batches=[(upload, job_pages.find_job(upload.commit), _until(upload)) for upload in batches],
    )


def _until(upload: Upload) -> str:
    return utc_text(upload_files.until(upload))


@blueprint.post("")
@security.allows("see_homes")
def upload() -> ResponseReturnValue:
    """Take a file in and go on to its columns; what cannot be read is told and not kept."""
    path, name = receiving.arrived()
    batch = upload_files.keep(
        context.settings().home_files,
        path,
        name=name,
        by=security.person(),
        at=utc_text(context.now()),
    )
    try:
        upload_files.preview(batch)
    except TerritoryError:
        uploads.discard(batch)
        raise
    return redirect(url_for(".show", batch_id=batch.upload_id), 303)


def _batch(batch_id: str) -> tuple[Upload, Job | None]:
    """Find a batch and the job that decides it; one whose time is over is gone."""
    upload_files.sweep(context.settings().home_files, context.now())
    batch = uploads.find(context.settings().home_files, batch_id)
    return batch, job_pages.find_job(batch.commit)


@blueprint.get("/<batch_id>")
@security.allows("see_homes")
def show(batch_id: str) -> ResponseReturnValue:
    """Show a batch as far as it is: its columns, its progress, or its verdicts."""
    batch, job = _batch(batch_id)
    if job is not None and job.state == jobs.DONE:
        return _show_verdicts(batch, job)
    if job is not None and job.is_open:
        return render_template(
            "hr/batch_job.html", place="hr_batches.home", batch=batch, job=job,
            progress=job_pages.progress(job),
        )  # fmt: skip
    return _show_columns(batch, job)


def _show_columns(batch: Upload, job: Job | None) -> str:
    preview = upload_files.preview(batch)
    headers = list(preview.headers[:MOST_HEADERS])
    return render_template(
        "hr/batch.html",
        place="hr_batches.home",
        batch=batch,
        until=_until(batch),
        preview=preview,
        failed=job if job and job.state == jobs.FAILED else None,
        headers=_headers(preview, headers),
        columns_read=headers,
        samples=formatting.cells(preview.rows.iloc[:, : len(headers)]),
        lines=preview.rows.index.tolist(),
        columns=COLUMNS,
        policies=desk.published_policies(context.store(), context.now()),
        today=context.now().astimezone(dt.UTC).date().isoformat(),
    )


def _headers(preview: HomesPreview, names: list[str]) -> list[dict[str, Any]]:
    """Give the headers to choose for, each with its first values."""
    return [
        {
            "number": number,
            "name": name,
            "column": preview.mapping.get(name),
            "samples": preview.rows.iloc[:, number].dropna().unique()[:SAMPLES].tolist(),
        }
        for number, name in enumerate(names)
    ]


def _show_verdicts(batch: Upload, job: Job) -> str:
    outcome = job.outcome or {}
    took = _moment(str(job.ended_at)) - _moment(str(job.started_at))
    return render_template(
        "hr/batch_verdicts.html",
        place="hr_batches.home",
        batch=batch,
        until=_until(batch),
        job=job,
        outcome=outcome,
        took_s=int(took.total_seconds()),
        suffix=upload_files.verdicts_of(batch).suffix.removeprefix("."),
        verdicts=_verdicts(outcome),
    )


def _verdicts(outcome: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the rows of the table, and where each stands in the bar of a thousand."""
    total, at, table = outcome["read"] or 1, 0.0, []
    for decision in DECISIONS:
        rows = outcome[decision.replace(" ", "_")]
        width = 1000 * rows / total
        remedies = [each for each in outcome["remedies"] if each["decision"] == decision]
        table.append(
            {
                "decision": decision, "rows": rows, "at": round(at, 2), "width": round(width, 2),
                "remedies": remedies,
            }
        )  # fmt: skip
        at += width
    return table


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


@blueprint.get("/<batch_id>.json")
@security.allows("see_homes")
def show_json(batch_id: str) -> ResponseReturnValue:
    """Answer with how far a batch is, for the page to ask once a second."""
    batch, job = _batch(batch_id)
    if job is None:
        return jsonify(state=jobs.STOPPED, target=url_for(".show", batch_id=batch_id))
    progress = job_pages.progress(job)
    target = None if job.is_open else url_for(".show", batch_id=batch.upload_id)
    return jsonify(**progress, target=target)


@blueprint.post("/<batch_id>/decide")
@security.allows("see_homes")
def decide(batch_id: str) -> ResponseReturnValue:
    """Keep the choices and hand the file to the worker, if it can be decided that way."""
    batch, job = _batch(batch_id)
    _refuse_settled(batch, job)
    batch = upload_files.choose(batch, _mapping(upload_files.preview(batch)))
    if upload_files.preview(batch).problem:
        return redirect(url_for(".show", batch_id=batch_id, _anchor="problem"), 303)
    question = _question()
    job_id = requests.ask(
        context.store(),
        tasks.DECIDE,
        {**question, "batch_id": batch_id, "by": security.person(), "at": utc_text(context.now())},
        by=security.person(),
        now=context.now(),
    )
    upload_files.assign(batch, job_id)
    return redirect(url_for(".show", batch_id=batch_id), 303)


def _question() -> dict[str, Any]:
    """Read what is asked beside the file: the policy, the day, and how distances are told."""
    versions = desk.published_policies(context.store(), context.now())
    names = {version.policy.name for version in versions}
    policy = request.form.get("policy", "")
    if policy not in names:
        raise InputError("No such policy is published. Choose one, or publish it first.")
    on = read_day(request.form.get("on", ""), "The day to decide for")
    return {"policy": policy, "on": on, "is_exact": request.form.get("distances") == "exact"}


def _refuse_settled(batch: Upload, job: Job | None) -> None:
    if job is not None and (job.is_open or job.state == jobs.DONE):
        state = "being decided" if job.is_open else "decided already"
        raise ConflictError(f"{batch.name} is {state} ({job.job_id}). Open it to see how far.")


def _mapping(preview: HomesPreview) -> dict[str, str]:
    """Read the choices; a header beyond those that the form shows is not used."""
    choices = {
        header: request.form.get(f"column-{number}", "")
        for number, header in enumerate(preview.headers[:MOST_HEADERS])
    }
    return {header: column for header, column in choices.items() if column in COLUMNS}


@blueprint.post("/<batch_id>/stop")
@security.allows("see_homes")
def stop(batch_id: str) -> ResponseReturnValue:
    """Stop a batch that waits or is being read; nothing of it is on record."""
    _, job = _batch(batch_id)
    if job is not None and job.is_open:
        requests.stop(context.store(), job_pages.heartbeats(), job.job_id, now=context.now())
    return redirect(url_for(".show", batch_id=batch_id), 303)


@blueprint.get("/<batch_id>/verdicts.<any(csv,xlsx):suffix>")
@security.allows("see_homes")
def verdicts(batch_id: str, suffix: str) -> Response:
    """Give the file as it was handed in, in its order and columns, with verdicts after them."""
    batch, _ = _batch(batch_id)
    path = upload_files.take_verdicts(
        context.store(), batch, by=security.person(), now=context.now()
    )
    stem = batch.name[: -len(batch.suffix)] if batch.suffix else batch.name
    if path.suffix != f".{suffix}":
        abort(404, f"The verdicts of {batch.name} are a {path.suffix} file.")
    file = path.open("rb")
    answer = send_file(
        file,
        mimetypes.guess_type(path)[0],
        as_attachment=True,
        download_name=f"{stem}-verdicts{path.suffix}",
    )
    answer.call_on_close(file.close)  # what compresses an answer leaves its file open
    return answer


@blueprint.post("/<batch_id>/remove")
@security.allows("see_homes")
def remove(batch_id: str) -> ResponseReturnValue:
    """Remove a file and its verdicts from the server; the decisions stand."""
    batch, job = _batch(batch_id)
    if job is not None and job.is_open:
        raise ConflictError(f"{batch.name} is being decided. Wait for it, or stop it first.")
    uploads.discard(batch)
    return redirect(url_for(".home"), 303)
