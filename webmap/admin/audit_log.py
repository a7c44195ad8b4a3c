"""The audit log: searched page by page, exported, and verified link by link of its hash chain."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Response, render_template, request

from territory.access import audit_log, audit_sentences
from territory.errors import InputError
from webmap import context, formatting, security
from webmap.admin.users import blueprint, names_by_id
from webmap.pages import layout

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from territory.access import AuditVerdict

LOG_ROWS = 50
LAST_DAY = datetime(9999, 12, 30, tzinfo=UTC)  # after which there is no day to search before


@blueprint.get("/log")
@security.allows("see_audit")
def log() -> ResponseReturnValue:
    """Search the log of who did what, newest first."""
    return _log()


def _log(verdict: AuditVerdict | None = None) -> str:
    texts, page = _texts(), layout.page_number()
    first = (page - 1) * LOG_ROWS
    events, total = audit_log.search(
        context.store(), **_filters(texts), limit=LOG_ROWS, offset=first
    )
    rows, names = formatting.records(events), names_by_id()
    return render_template(
        "admin/log.html",
        place="admin.log",
        filters=texts,
        query={name: text for name, text in texts.items() if text},
        events=rows,
        **layout.pager(page, LOG_ROWS, total),
        names=names,
        sentences=audit_sentences.sentences(rows, names),
        verdict=verdict,
    )


def _texts() -> dict[str, str]:
    names = ("by", "action", "subject_kind", "subject_id", "since", "until")
    return {name: request.args.get(name, "").strip()[:200] for name in names}


def _filters(texts: dict[str, str]) -> dict[str, Any]:
    """Read what is asked for; ``until`` is the last day that is included."""
    filters: dict[str, Any] = {name: text or None for name, text in texts.items()}
    for name in ("since", "until"):
        filters[name] = _day(name, texts[name]) if texts[name] else None
    if filters["until"]:
        filters["until"] = min(filters["until"], LAST_DAY) + timedelta(days=1)
    return filters


def _day(name: str, text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise InputError(f"{name}: {text[:20]!r} is no day. Write it as 2026-01-31.") from None


@blueprint.get("/log.csv")
@security.allows("see_audit")
def log_csv() -> Response:
    """Give exactly the events that the search finds, oldest first; that is an event too."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        audit_log.export(
            context.store(),
            path,
            exported_by=security.person(),
            now=context.now(),
            **_filters(_texts()),
        )
        response = Response(path.read_bytes(), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename="log.csv")
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/log/verify")
@security.allows("see_audit")
def verify() -> ResponseReturnValue:
    """Walk the whole log and say whether it was rewritten anywhere."""
    return _log(audit_log.verify(context.store()))
