"""Progress of jobs: a page that may be closed, and the same as data."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from flask import Blueprint, current_app, jsonify, redirect, render_template, url_for

from territory import jobs
from territory.errors import NotFoundError
from territory.jobs import open_heartbeats, requests, tasks
from territory.timestamps import read_utc_text
from webmap import context, security

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from territory.jobs import Heartbeats, Job

blueprint = Blueprint("job_pages", __name__, url_prefix="/ops/jobs")

SHOWN = (tasks.IMPORT, tasks.GEOCODE)
LONELY_S = 15  # a job that waits longer than this has probably no worker


def heartbeats() -> Heartbeats:
    """Give the heartbeats of jobs, opened once per process: connections do not survive a fork."""
    by_process: dict[int, Heartbeats] = current_app.extensions.setdefault("heartbeats", {})
    if os.getpid() not in by_process:
        settings = context.settings()
        by_process[os.getpid()] = open_heartbeats(settings.queue, folder=settings.var_dir)
    return by_process[os.getpid()]


def find_job(job_id: str | None) -> Job | None:
    """Look at a job that a file on disk names; None where this store does not know it."""
    if job_id is None:
        return None
    try:
        return requests.look(context.store(), heartbeats(), job_id)
    except NotFoundError:
        return None


@blueprint.get("/<job_id>")
@security.allows("import_data", "review_places")
def show(job_id: str) -> ResponseReturnValue:
    """Show how far a job is; once it is done, what it was for."""
    job = _look(job_id)
    target = _target(job)
    if target is not None:
        return redirect(target)
    return render_template(
        "pages/job.html", place="imports.home", job=job, progress=progress(job), back=_back(job)
    )


@blueprint.get("/<job_id>.json")
@security.allows("import_data", "review_places")
def show_json(job_id: str) -> ResponseReturnValue:
    """Answer with how far a job is, for the page to ask once a second."""
    job = _look(job_id)
    return jsonify(**progress(job), target=_target(job))


@blueprint.post("/<job_id>/stop")
@security.allows("import_data", "review_places")
def stop(job_id: str) -> ResponseReturnValue:
    """Stop a job; nothing of it is written."""
    requests.stop(context.store(), heartbeats(), _look(job_id).job_id, now=context.now())
    return redirect(url_for(".show", job_id=job_id), 303)


def _look(job_id: str) -> Job:
    """Look at a job of sales ops; what HR asked for is looked at on the pages of HR alone."""
    job = requests.look(context.store(), heartbeats(), job_id)
    if job.work not in SHOWN:
        raise NotFoundError(f"No job {job_id!r}.")
    return job


def progress(job: Job) -> dict[str, Any]:
    """Say how far a job is in words and figures."""
    since = job.started_at if job.state == jobs.RUNNING else job.asked_at
    elapsed_s = max(0, int((context.now() - read_utc_text(str(since))).total_seconds()))
    is_lonely = job.state == jobs.WAITING and elapsed_s > LONELY_S
    stage = {
        jobs.WAITING: "Not started yet: no background worker is running. Ask an admin to start one."
        if is_lonely
        else "Waiting to start",
        jobs.RUNNING: job.stage or "Starting",
    }.get(job.state, job.stage or "")
    return {
        "state": job.state,
        "stage": stage,
        "done": job.done,
        "total": job.total,
        "attempts": job.attempts,
        "elapsed_s": elapsed_s,
        "error": job.error,
    }


def _target(job: Job) -> str | None:
    """Give the page of what came of a job; None while there is none, or this page says it all."""
    if job.state != jobs.DONE or job.outcome is None or job.work == tasks.GEOCODE:
        return None
    if job.arguments["dry_run"]:
        return url_for("imports.trial", upload_id=job.arguments["upload_id"])
    return url_for("imports.result", import_id=job.outcome["import_id"])


def _back(job: Job) -> str:
    """Give the page that a job was asked for on."""
    if job.work == tasks.GEOCODE:
        return url_for("worklist.home", kind=job.arguments["kind"])
    return url_for("imports.file_", upload_id=job.arguments["upload_id"])
