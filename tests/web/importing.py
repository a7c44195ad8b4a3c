"""A messy CRM export and the app that it is dropped on."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from territory import jobs, works
from territory.job_queue import open_queue
from territory.store import open_store
from territory.store.import_ledger import ImportLedger
from tests.web.conftest import TODAY
from tests.web.reading import token
from webmap import Settings, create_app

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

NOW = datetime(2026, 11, 23, 9, 41, tzinfo=UTC)
MESSY = """\
Account ID,Account Name,BillingStreet,BillingCity,BillingState,BillingPostalCode,BillingLatitude,\
BillingLongitude,NumberOfEmployees,Type,Favourite colour
A-1,Good Company,600 N State St,Chicago,IL,60654,41.8927,-87.6282,900,Customer,=1+1
A-2,Two Places,255 Fiserv Drive,Brookfield,WI,53405,43.0336,-88.1407,"44,000",Prospect,red
A-3,Springfield Widgets,,Springfield,,,,,40,Prospect,green
A-4,Zip Only,,,,1001,,,c. 12 (2024),Prospect,blue
A-4,Zip Only Again,,,,1002,,,12,Prospect,blue
A-5,Odd Status,1 Way,Boise,ID,83702,,,5,Martian,teal
"""
BOUNDARY = "----boundary-of-a-form"
BUCKETS = {"placed": 1, "approximate": 1, "ambiguous": 1, "conflict": 1, "unplaced": 0,
           "duplicate": 1, "refused": 1}  # fmt: skip


def own_app(demo_file: Path, folder: Path, **settings: object) -> Flask:
    """The app over a copy of the demo company that a test may change."""
    copy = folder / "own.sqlite"
    shutil.copy(demo_file, copy)
    url = f"sqlite:///{copy}"
    settings = {"sign_in": False, "today": lambda: TODAY, "now": lambda: NOW, **settings}
    return create_app(Settings(url, folder / "var", **settings))


def work_off(app: Flask) -> list[jobs.Job]:
    """Do in this process what a worker would do, until nothing waits."""
    settings, done = app.config["TERRITORY"], []
    queue = open_queue(folder=settings.var_dir)
    every = works.works(settings.var_dir, lambda: NOW)
    with open_store(settings.store_url) as store:
        queue.runner = lambda job_id: done.append(
            jobs.run(store, queue, every, job_id, clock=lambda: NOW)
        )
        while (task := queue.huey.dequeue()) is not None:
            queue.huey.execute(task)
    queue.close()
    return done


def drop(
    client: FlaskClient, content: str | bytes = MESSY, name: str = "accounts.csv", **form: str
) -> TestResponse:
    """Hand a file in."""
    body = content.encode() if isinstance(content, str) else content
    fields = {"csrf_token": token(client), "kind": "prospects", **form}
    return client.post(
        "/ops/import",
        data=multipart(fields, name, body),
        content_type=f"multipart/form-data; boundary={BOUNDARY}",
    )


def multipart(fields: dict[str, str], name: str, body: bytes) -> bytes:
    """Write a form with a file the way a browser does."""
    parts = [f'form-data; name="{key}"\r\n\r\n{value}'.encode() for key, value in fields.items()]
    shown = name.replace('"', "%22")
    head = f'form-data; name="file"; filename="{shown}"\r\nContent-Type: text/csv\r\n\r\n'
    parts.append(head.encode() + body)
    start = f"--{BOUNDARY}\r\nContent-Disposition: ".encode()
    return b"".join(start + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()


def press(client: FlaskClient, path: str, **form: str) -> TestResponse:
    """Send a form of a page."""
    return client.post(path, data={"csrf_token": token(client), **form})


def bring_in(app: Flask, client: FlaskClient, content: str = MESSY, **form: str) -> str:
    """Drop a file, try it, import it; give the address of what came of it."""
    page = drop(client, content, **form).location
    for verb in ("try", "commit"):
        assert press(client, f"{page}/{verb}").status_code == 303
        assert work_off(app)[0].state == "done"
    with open_store(app.config["TERRITORY"].store_url) as store, store.read() as transaction:
        last = ImportLedger(transaction).records()[0]
    return f"/ops/import/{last.import_id}"
