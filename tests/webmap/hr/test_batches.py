"""A file of homes on the pages: in, mapped, decided, out, and gone."""

from __future__ import annotations

import csv
import io
import logging
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from waitress.buffers import ReadOnlyFileBasedBuffer

from territory.access.audit_ledger import AuditLedger
from territory.eligibility.desk import upload_files
from territory.eligibility.homes import open_homes
from territory.files import uploads
from territory.jobs import requests, tasks
from territory.jobs.ledger import JobLedger
from tests.fixtures.eligibility_stores import NOW
from tests.fixtures.hr_apps import come_as, decisions, fields_of, hr_app, press, store_of, work_off
from tests.fixtures.importing import BOUNDARY, multipart
from tests.fixtures.reading import Page, token

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

STREET = "4711 Quokka Boulevard"
ROWS = [
    ["Note", "Employee ID", "Home ZIP", "Home Street", "Home City", "State", "Latitude",
     "Longitude"],
    ["=1+1", "E-1", "", STREET, "", "", "40.1", "-100.1"],
    ["far", "E-2", "", "", "", "", "30", "-90"],
    ["name", "Jo Doe", "", "", "", "", "40.1", "-100.1"],
    ["unknown", "E-3", "99999", "", "", "", "", ""],
    ["disagree", "E-4", "80202", "", "", "NY", "", ""],
    ["sea", "E-5", "", "", "", "", "0", "0"],
    ["box", "E-6", "80202", "PO Box 12", "", "", "", ""],
    ["", "", "", "", "", "", "", ""],
]  # fmt: skip
DECISIONS = ["eligible", "not eligible", "eligible", *["cannot decide"] * 5]


def text_of(rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    # A row of blanks only is no row to a reader of CSV; two quotes make it one.
    return out.getvalue().encode()


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return hr_app(tmp_path)


@pytest.fixture
def hr(app: Flask) -> FlaskClient:
    return come_as(app, "hr")


def folder_of(app: Flask) -> Path:
    return app.config["TERRITORY"].home_files


def drop(client: FlaskClient, body: bytes, name: str = "new hires.csv") -> TestResponse:
    fields = {"csrf_token": token(client, "/hr/batches")}
    return client.post(
        "/hr/batches",
        data=multipart(fields, name, body),
        content_type=f"multipart/form-data; boundary={BOUNDARY}",
    )


def columns(client: FlaskClient, page: str) -> dict[str, str]:
    """The choices of the form as the page offers them."""
    fields = fields_of(client.get(page))
    return {name: given[0] for name, given in fields.items() if name.startswith("column-")}


def decide(client: FlaskClient, page: str, **more: str) -> TestResponse:
    fields = {"policy": "rule", "on": "2026-11-23", "distances": "classes", **more}
    return press(client, f"{page}/decide", **fields, **columns(client, page))


def decided(app: Flask, client: FlaskClient, body: bytes, name: str = "new hires.csv", **more):
    """Bring a batch to its end and give the address of its page."""
    page = drop(client, body, name).location
    assert decide(client, page, **more).location == page
    assert [job.state for job in work_off(app)] == ["done"]
    return page


def test_every_row_comes_back_in_its_order_and_columns_with_a_verdict(app, hr):
    page = decided(app, hr, text_of(ROWS))
    got = hr.get(f"{page}/verdicts.csv", buffered=True)
    assert got.headers["Content-Disposition"] == 'attachment; filename="new hires-verdicts.csv"'
    table = list(csv.reader(io.StringIO(got.get_data(as_text=True).lstrip("\N{BOM}"))))
    assert table[0][:8] == ROWS[0]
    assert [row[1] for row in table[1:]] == [row[1] for row in ROWS[1:]]
    assert table[1][0] == "'=1+1"  # which a spreadsheet would have run
    at = table[0].index("decision")
    assert [row[at] for row in table[1:]] == DECISIONS
    told = table[0].index("reason"), table[0].index("remedy")
    assert all(row[told[0]] for row in table[1:])
    assert all(row[told[1]] for row in table[1:] if row[at] == "cannot decide")
    assert "distance_class" in table[0]
    assert "distance_mi" not in table[0]


def test_verdicts_are_given_by_the_server_too_which_sends_files_itself(app, hr):
    page = decided(app, hr, text_of(ROWS))
    by_server = {"wsgi.file_wrapper": ReadOnlyFileBasedBuffer}
    got = hr.get(f"{page}/verdicts.csv", buffered=True, environ_overrides=by_server)
    assert got.status_code == 200
    assert got.data == hr.get(f"{page}/verdicts.csv", buffered=True).data


def test_the_verdicts_add_up_to_the_file_in_the_table_and_in_the_chart(app, hr):
    page = Page(hr.get(decided(app, hr, text_of(ROWS))))
    counts = {row[0].strip(): row[1].strip() for row in page.rows["tbody"]}
    assert counts == {"Eligible": "2", "Not eligible": "1", "Too close to call": "0",
                      "Cannot decide": "5"}  # fmt: skip
    assert page.rows["tfoot"][0][1].strip() == "8"
    chart = next(given for tag, given in page.tags if tag == "svg" and given.get("role") == "img")
    assert "Eligible 2, Not eligible 1, Too close to call 0, Cannot decide 5" in str(
        chart["aria-label"]
    )
    widths = [float(given["width"]) for tag, given in page.tags
              if tag == "rect" and str(given.get("class", "")).startswith("v-")]  # fmt: skip
    assert sum(widths) + 2 * len(widths) == pytest.approx(1000, abs=0.1)
    assert "1 row, the ZIP code is unknown: Correct the ZIP code." in page.text
    assert "Not linked to a person 2 of 8" in page.text


def test_a_workbook_comes_back_as_a_workbook_with_exact_distances_if_asked(app, hr, tmp_path):
    rows = [["harmless", *row[1:]] for row in ROWS[1:]]  # a formula nobody computed has no value
    frame = pd.DataFrame(rows, columns=ROWS[0])
    frame.to_excel(tmp_path / "in.xlsx", index=False)
    body = (tmp_path / "in.xlsx").read_bytes()
    page = decided(app, hr, body, "Büro.xlsx", distances="exact")
    (tmp_path / "out.xlsx").write_bytes(hr.get(f"{page}/verdicts.xlsx", buffered=True).data)
    back = pd.read_excel(tmp_path / "out.xlsx", dtype=object)
    assert list(back.columns[:8]) == ROWS[0]
    assert back["decision"].tolist()[:7] == DECISIONS[:7]
    assert back["distance_mi"].notna().tolist()[:3] == [True, True, True]
    assert hr.get(f"{page}/verdicts.csv", buffered=True).status_code == 404


def test_two_headers_for_one_column_are_told_and_not_decided(app, hr):
    page = drop(hr, text_of(ROWS)).location
    chosen = columns(hr, page)
    answer = press(hr, f"{page}/decide", policy="rule", on="2026-11-23",
                   **(chosen | {"column-0": "postal_code"}))  # fmt: skip
    assert answer.location.endswith("#problem")
    told = Page(hr.get(page)).text
    assert "new hires.csv: Note and Home ZIP are both 'postal_code'" in told
    assert work_off(app) == []


def test_a_file_without_homes_says_what_is_missing(app, hr):
    page = drop(hr, b"Name,Colour\nJo,red\n").location
    assert "no columns 'postal_code', 'city' and 'state'" in Page(hr.get(page)).text
    assert decide(hr, page).location.endswith("#problem")
    assert decisions(app) == 0


def test_names_in_place_of_references_are_told_before(app, hr):
    text = Page(hr.get(drop(hr, text_of(ROWS)).location)).text
    assert "1 of the first 8 rows name their person by something that is no reference" in text


@pytest.mark.parametrize(
    ("name", "body"),
    [("homes.geojson", b"{}"), ("homes.pdf", b"x"), ("homes.csv", b""), ("homes.xlsx", b"no zip")],
)
def test_what_is_no_table_is_refused_and_not_kept(app, hr, name, body):
    assert drop(hr, body, name).status_code == 400
    assert uploads.newest_first(folder_of(app)) == []


def test_a_policy_that_is_not_published_decides_nothing(app, hr):
    page = drop(hr, text_of(ROWS)).location
    assert decide(hr, page, on="2026-02-31").status_code == 400
    answer = press(hr, f"{page}/decide", policy="none", **columns(hr, page))
    assert answer.status_code == 400
    assert work_off(app) == []


def test_a_batch_that_waits_is_stopped_and_can_be_asked_for_again(app, hr):
    page = drop(hr, text_of(ROWS)).location
    decide(hr, page)
    assert "Waiting to start" in Page(hr.get(page)).text
    assert "by hr · " in Page(hr.get(page)).text  # a name, and no id of a user
    assert hr.get(f"{page}.json").json["state"] == "waiting"
    assert decide_twice(hr, page).status_code == 409
    press(hr, f"{page}/stop")
    assert work_off(app) == []
    assert decisions(app) == 0
    assert "Match columns" in Page(hr.get(page)).text
    assert decide(hr, page).location == page


def decide_twice(client: FlaskClient, page: str) -> TestResponse:
    return press(client, f"{page}/decide", policy="rule", **{"column-2": "postal_code"})


def test_a_second_attempt_of_a_job_puts_nothing_on_record_twice(app, hr):
    page = drop(hr, text_of(ROWS)).location
    decide(hr, page)
    (done,) = work_off(app)
    assert decisions(app) == 8
    work = tasks.tasks_by_name(app.config["TERRITORY"].var_dir, lambda: NOW + timedelta(minutes=5))
    with store_of(app) as store:
        again = work[tasks.DECIDE](store, done.arguments, requests.JobProgress())
    assert again == done.outcome
    assert decisions(app) == 8


def test_the_file_goes_after_a_day_or_when_it_is_removed(app, hr):
    page = decided(app, hr, text_of(ROWS))
    assert upload_files.sweep(folder_of(app), NOW + timedelta(hours=23)) == 0
    assert upload_files.sweep(folder_of(app), NOW + timedelta(hours=24)) == 1
    assert hr.get(page).status_code == 404
    other = drop(hr, text_of(ROWS)).location
    assert press(hr, f"{other}/remove").location == "/hr/batches"
    assert hr.get(other).status_code == 404
    assert list(folder_of(app).iterdir()) == []


def test_after_a_purge_no_file_below_the_server_holds_the_address(app, hr, caplog):
    with caplog.at_level(logging.DEBUG):
        page = decided(app, hr, text_of(ROWS))
        hr.get(page)
        hr.get(f"{page}/verdicts.csv", buffered=True)
    drop(hr, text_of(ROWS))
    assert holding(app, STREET)
    with open_homes(app.config["TERRITORY"].eligibility.homes_url) as homes:
        assert homes.size() == 6
    assert press(hr, "/hr/purge", subject="E-1").status_code == 200
    assert holding(app, STREET) == []
    assert STREET not in caplog.text
    assert decisions(app) == 8


def holding(app: Flask, text: str) -> list[str]:
    folder = app.config["TERRITORY"].var_dir.parent
    return [str(path) for path in folder.rglob("*")
            if path.is_file() and text.encode() in path.read_bytes()]  # fmt: skip


def test_nothing_of_a_batch_but_counts_is_in_the_job_and_in_the_log_of_events(app, hr):
    page = decided(app, hr, text_of(ROWS))
    hr.get(f"{page}/verdicts.csv", buffered=True)
    with store_of(app) as store, store.read() as transaction:
        (job,) = JobLedger(transaction).recent()
        told = f"{job} {dict(job.outcome)} {list(AuditLedger(transaction).events())}"
    assert "'on_record': 8" in told
    for secret in (STREET, "40.1", "80202", "E-1'"):
        assert not re.search(
            rf"(?<![0-9a-f]){re.escape(secret)}", told
        )  # digits of a hash are none


def test_whoever_takes_the_verdicts_away_is_on_record(app, hr):
    page = decided(app, hr, text_of(ROWS))
    hr.get(f"{page}/verdicts.csv", buffered=True)
    with store_of(app) as store, store.read() as transaction:
        taken = [each for each in AuditLedger(transaction).events()
                 if each.action == "eligibility.download"]  # fmt: skip
    assert [each.subject_id for each in taken] == [page.rsplit("/", 1)[1]]


@pytest.mark.parametrize("role", ["admin", "ops", "viewer"])
def test_nobody_but_hr_reaches_a_batch_or_its_job(app, hr, role):
    page = drop(hr, text_of(ROWS)).location
    decide(hr, page)
    (done,) = work_off(app)
    other = come_as(app, role)
    for path in ("/hr/batches", page, f"{page}.json", f"{page}/verdicts.csv"):
        assert other.get(path).status_code == 403
    assert other.get(f"/ops/jobs/{done.job_id}").status_code in {403, 404}
    assert other.get(f"/ops/jobs/{done.job_id}.json").status_code in {403, 404}


def test_no_page_of_a_batch_is_kept_by_a_browser(app, hr):
    page = decided(app, hr, text_of(ROWS))
    for path in ("/hr/batches", page, f"{page}/verdicts.csv", f"{page}.json"):
        assert hr.get(path, buffered=True).headers["Cache-Control"] == "no-store"


def test_the_folder_of_homes_is_for_its_owner_only(app, hr):
    page = decided(app, hr, text_of(ROWS))
    own = folder_of(app) / page.rsplit("/", 1)[1]
    assert [path.stat().st_mode & 0o077 for path in (folder_of(app), own)] == [0, 0]
