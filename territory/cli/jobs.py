"""The commands of background jobs: ``territory work`` runs them, ``territory jobs`` shows them."""

from __future__ import annotations

import dataclasses
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from territory.cli.options import answer, as_json, named, note, now, opened

if TYPE_CHECKING:
    from territory.jobs import Heartbeats, Job

FEW = 20


def var_folder() -> Path:
    """Give the folder that the server keeps its files in."""
    return Path(os.environ.get("TERRITORY_VAR") or "var").resolve()


def _heartbeats() -> Heartbeats:
    from territory.jobs import open_heartbeats

    return open_heartbeats(folder=var_folder())


@click.command("work")
@click.pass_context
def work(context: click.Context) -> None:
    """Run imports, geocoding and batches started on the pages, until stopped with Ctrl+C.

    `territory serve` starts one by itself. Start more, here or on other machines, where one is not
    enough: they share $TERRITORY_STORE, $TERRITORY_QUEUE and the folder $TERRITORY_VAR. Ctrl+C lets
    the job at hand end first; a second one, or SIGTERM, leaves it, and it starts again later.

    \b
    Example:
      TERRITORY_QUEUE=redis://localhost:6379/0 territory work
    """
    from territory.jobs import worker

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    with opened(context) as store:
        url, shown = store.url, store.shown
    worker.work(
        url,
        var_folder(),
        clock=now,
        ready=lambda: note(f"Working for {shown}  (Ctrl+C stops it)"),
    )


@click.group("jobs")
def jobs_group() -> None:
    """Show background jobs started on the pages."""


@jobs_group.command("list")
@as_json
@click.pass_context
def list_(context: click.Context, *, is_json: bool) -> None:
    """List jobs, newest first.

    \b
    Example:
      territory jobs list --json
    """
    from territory.jobs import requests

    store = opened(context, create=False)
    jobs = requests.recent(store, _heartbeats(), limit=FEW)
    lines = [_line(named(store, job, "asked_by")) for job in jobs] or ["No jobs yet."]
    answer({"jobs": [dataclasses.asdict(job) for job in jobs]}, "\n".join(lines), is_json=is_json)


@jobs_group.command("show")
@click.argument("job_id", metavar="JOB")
@as_json
@click.pass_context
def show(context: click.Context, *, job_id: str, is_json: bool) -> None:
    """Show the progress or result of a job.

    \b
    Example:
      territory jobs show job-1f0c8e5b2a77
    """
    from territory.jobs import requests

    store = opened(context, create=False)
    job = requests.look(store, _heartbeats(), job_id)
    line = _line(named(store, job, "asked_by"))
    answer(dataclasses.asdict(job), line, is_json=is_json)


@jobs_group.command("stop")
@click.argument("job_id", metavar="JOB")
@as_json
@click.pass_context
def stop(context: click.Context, *, job_id: str, is_json: bool) -> None:
    """Stop a job that waits or runs. Nothing of it is written.

    \b
    Example:
      territory jobs stop job-1f0c8e5b2a77
    """
    from territory.jobs import requests

    requests.stop(opened(context, create=False), _heartbeats(), job_id, now=now())
    answer(
        {"job_id": job_id, "asked_to_stop": True}, f"{job_id} is being stopped.", is_json=is_json
    )


def _line(job: Job) -> str:
    result = job.error or (job.outcome or {}).get("sentence") or job.stage or ""
    asked = f"asked {job.asked_at} by {job.asked_by}"
    return f"{job.job_id}  {job.work}  {job.state}  {asked}. {result}"
