"""Bringing a file in by the pages: what is kept, what is told, what is written and taken back."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import openpyxl
import pytest

from territory import imports
from territory.jobs import requests, tasks
from territory.jobs.ledger import DONE, JobLedger
from territory.store import open_store
from tests.fixtures.hostile import TEXTS
from tests.fixtures.importing import (
    BUCKETS,
    MESSY,
    bring_in,
    drop,
    own_app,
    page_of,
    press,
    work_off,
)
from tests.fixtures.reading import Page, figure, token

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient


@pytest.fixture
def app(demo_file: Path, tmp_path: Path) -> Flask:
    return own_app(demo_file, tmp_path)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def prospects(app: Flask):
    with open_store(app.config["TERRITORY"].store_url) as store, store.read() as transaction:
        return transaction.table("prospects").set_index("prospect_id")


def kept(app: Flask) -> list[Path]:
    return sorted(app.config["TERRITORY"].uploads.glob("*"))


def buckets_of(response) -> dict[str, int]:
    """Read each bucket's link: its name is in the address, its figure in the link."""
    html, found = response.get_data(as_text=True), {}
    for part in html.split('<div class="bl')[1].split("</div>")[0].split("<a ")[1:]:
        name = part.split("show=")[1].split("#")[0].split("&")[0]
        found[name] = int(part.split("<b>")[1].split("</b>")[0].replace(",", ""))
    return found


# ---- a file comes in


def test_a_file_is_kept_whole_under_a_name_of_ours(app, client):
    response = drop(client, name="../../etc/ac\u202ecounts\x00.CSV")
    assert response.status_code == 303
    (own,) = kept(app)
    assert sorted(file.name for file in own.iterdir()) == ["file.csv", "upload.json"]
    assert (own / "file.csv").read_bytes() == MESSY.encode()
    told = json.loads((own / "upload.json").read_text())
    assert told["sha256"] == hashlib.sha256(MESSY.encode()).hexdigest()
    assert told["name"] == "accounts.CSV"
    assert own.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        ("", "empty.csv", "empty.csv: the file is empty"),
        (MESSY, "accounts.exe", "accounts.exe: .exe is no format"),
        (MESSY, "accounts", "no suffix is no format"),
        (MESSY, "", "No file was chosen"),
        ("not a workbook", "accounts.xlsx", "accounts.xlsx"),
        ("\x00\x01\x02", "accounts.parquet", "accounts.parquet"),
    ],
)
def test_what_cannot_be_read_is_told_by_its_own_name_and_not_kept(
    app, client, content, name, words
):
    response = drop(client, content, name)
    assert response.status_code == 400
    assert words in Page(response).text
    assert str(app.config["TERRITORY"].var_dir) not in response.get_data(as_text=True)
    assert kept(app) == []


def test_a_file_over_the_limit_is_refused_and_leaves_nothing(demo_file, tmp_path):
    app = own_app(demo_file, tmp_path, max_upload_mb=1)
    assert drop(app.test_client(), b"a,b\n" * 300_000).status_code == 413
    assert kept(app) == []
    assert drop(app.test_client(), "Name\n" + "Acme\n" * 100_000).status_code == 303


def test_nothing_but_the_field_for_files_takes_a_large_body(client):
    assert press(client, "/ops/places/prospects/settle", lat="1" * 100_000).status_code == 413


def test_another_kind_of_rows_is_refused(client):
    assert "'wizards' is none of offices" in Page(drop(client, kind="wizards")).text


def test_a_file_is_removed_with_all_that_was_made_of_it(app, client):
    page = drop(client).location
    press(client, f"{page}/try")
    assert press(client, f"{page}/discard").status_code == 409  # the worker may be at it
    work_off(app)
    assert press(client, f"{page}/discard").status_code == 303
    assert kept(app) == []
    assert client.get(page).status_code == 404


def test_no_address_leads_out_of_the_folder_of_uploads(client):
    for upload_id in ("..", "%2e%2e", "0" * 15, "g" * 16, "..%2f..%2fetc"):
        assert client.get(f"/ops/import/files/{upload_id}").status_code == 404


# ---- columns


def test_the_columns_are_recognised_and_shown_with_their_first_values(client):
    page = Page(client.get(drop(client).location))
    assert "10 of 11 columns used" in page.text
    assert "Recognized by column name" in page.text
    assert "Name: Account Name" in page.text
    rows = {row[0].strip(): row for row in page.rows["tbody"]}
    assert "Good Company · Two Places" in rows["Account Name"][1]
    chosen = [given["value"] for tag, given in page.tags if tag == "option" and "selected" in given]
    assert chosen.count("prospect_id") == 1
    assert "Favourite colour" in rows


def test_a_required_column_that_is_taken_away_is_told_before_anything_runs(app, client):
    address = drop(client).location
    response = press(client, f"{address}/try", **{"column-1": ""})
    assert response.location == f"{address}#problem"
    page = Page(client.get(address))
    assert "Name: required, not matched yet" in page.text
    assert "needs 'name'" in page.text
    assert work_off(app) == []


def test_a_mapping_that_was_given_once_is_remembered_for_the_next_file(app, client):
    table = "Firma,Ort,Land\nAcme,Berlin,Germany\n"
    address = drop(client, table).location
    assert "0 of 3 columns used" in Page(client.get(address)).text
    chosen = {"column-0": "name", "column-1": "city", "column-2": "country"}
    for verb in ("try", "commit"):
        press(client, f"{address}/{verb}", **chosen)
        assert work_off(app)[0].state == "done"
    again = drop(client, table + "Beta,Hamburg,Germany\n")
    again = Page(client.get(page_of(app, again)))
    assert "Remembered from an earlier file" in again.text
    assert "3 of 3 columns used" in again.text


def test_of_a_file_whose_headers_are_known_only_what_is_new_is_shown(app, client):
    bring_in(app, client)
    more = MESSY + "A-9,Nine,1 Way,Boise,ID,83702,,,5,Partner,teal\n"
    response = drop(client, more)
    assert "/ops/jobs/" in response.location
    work_off(app)
    page = Page(client.get(f"{page_of(app, response)}/trial"))
    assert "Columns as in import-11 · no new column" in page.text
    assert "New: status Partner" in page.text
    wider = "\n".join(
        line + (",Region" if at == 0 else ",West") for at, line in enumerate(MESSY.splitlines())
    )
    page = Page(client.get(drop(client, wider).location))
    assert "1 new column since import-11" in page.text
    assert next(row[0].strip() for row in page.rows["tbody"]) == "Region"


def test_a_file_is_read_as_another_kind_when_asked_to(client):
    address = drop(client, "Office,City,State\nMain,Chicago,IL\n").location
    press(client, f"{address}/kind", kind="offices")
    assert "Name: Office" in Page(client.get(address)).text


def test_a_file_of_very_many_columns_is_shown_in_part_and_says_so(client):
    headers = ["Name", *(f"c{n}" for n in range(1_999))]
    table = f"{','.join(headers)}\nAcme{',' * 1_999}\n"
    response = client.get(drop(client, table).location)
    assert "200 of 2,000 columns" in Page(response).text
    assert len(response.data) < 1_500_000


# ---- dry run


def test_a_dry_run_reconciles_names_every_refusal_and_writes_nothing(app, client):
    before = prospects(app)
    address = drop(client).location
    job = press(client, f"{address}/try").location
    assert "Waiting to start" in Page(client.get(job)).text
    (done,) = work_off(app)
    assert done.outcome["reconciles"]
    trial = client.get(job).location
    response = client.get(trial)
    assert buckets_of(response) == BUCKETS
    page = Page(response)
    assert "6 rows in the file = 6 in seven groups All rows accounted for" in page.text
    translation, *_, refused = page.rows["tbody"]  # what is gravest is shown first
    assert [cell.strip() for cell in translation] == ["Status", "Martian", "Not recognized", "1"]
    assert figure(refused[0]) == 7
    assert "'Martian' is unknown" in refused[2]
    assert "Write one of prospect" in refused[3]
    *_, duplicate = Page(client.get(f"{trial}?show=duplicate")).rows["tbody"]
    assert "is on line 5 already" in duplicate[2]
    assert "Columns not used: Favourite colour" in page.text
    assert before.equals(prospects(app))


def test_a_dry_run_shows_each_cell_that_would_change(app, client):
    bring_in(app, client)
    changed = MESSY.replace(",900,Customer", ",950,Customer").replace("Good Company", "Better Co")
    address = page_of(app, drop(client, changed))
    work_off(app)
    page = Page(client.get(f"{address}/trial?show=differences"))
    rows = [row for row in page.rows["tbody"] if row[0].strip().startswith("A-")]
    cells = {(row[0].strip(), row[1].strip()): row[2:] for row in rows}
    assert cells[("A-1", "Employees")] == [" 900", " 950"]
    assert cells[("A-1", "Name")] == [" Good Company", " Better Co"]
    assert f"{len(cells)} of {len(cells)}" in page.text


def test_a_dry_run_says_first_what_it_would_clear_and_then_what_it_cannot_read(app, client):
    bring_in(app, client)
    changed = MESSY.replace(",900,Customer", ",,").replace('"44,000"', "n/k")
    address = page_of(app, drop(client, changed))
    work_off(app)
    response = client.get(f"{address}/trial")
    page = Page(response)
    told = "2\N{NO-BREAK SPACE}values on record will be cleared"
    assert told in response.get_data(as_text=True)
    text = page.text.replace("\N{NO-BREAK SPACE}", " ")
    assert "2 cleared, 1 unreadable" in text
    order = [text.index(words) for words in (
        "2 values on record will be cleared", "1 cell cannot be read",
        "What the import will do with every row",
    )]  # fmt: skip
    assert order == sorted(order)
    assert "Employees in 1 row" in text
    assert "Status in 1 row" in text
    *_, row = Page(client.get(f"{address}/trial?show=unreadable")).rows["tbody"]
    assert [cell.strip() for cell in row] == ["3", "A-2", "Employees", "n/k", "44000"]
    press(client, f"{address}/commit")
    work_off(app)
    assert prospects(app).loc["A-2", "employees"] == 44_000
    with open_store(app.config["TERRITORY"].store_url) as store:
        last = imports.history(store).iloc[0]["import_id"]
    text = Page(client.get(f"/ops/import/{last}")).text.replace("\N{NO-BREAK SPACE}", " ")
    assert "2 fields cleared, 1 unreadable cell left out" in text


def test_a_full_file_reports_what_it_does_not_mention(app, client):
    held = len(prospects(app))
    address = drop(client, is_full="1").location
    press(client, f"{address}/try", is_full="1")
    work_off(app)
    page = Page(client.get(f"{address}/trial?show=missing"))
    assert f"50 of {held:,}" in page.text
    assert len(prospects(app)) == held


@pytest.mark.parametrize("query", ["show=gold", "change=some", "page=0", "page=x"])
def test_a_list_that_there_is_not_is_refused(app, client, query):
    address = bring_in(app, client)
    assert client.get(f"{address}?{query}").status_code == 400


def test_a_long_list_is_paged_with_n_of_m(app, client):
    table = "Account ID,Account Name,BillingPostalCode\n" + "".join(
        f"Z-{n},Zip {n},60601\n" for n in range(120)
    )
    address = bring_in(app, client, table)
    page = Page(client.get(f"{address}?show=approximate&page=3"))
    assert "Rows 101 to 120 of 120" in page.text
    assert len(page.rows["tbody"]) == 20


# ---- import, report, undo


def test_an_import_is_written_told_and_the_same_file_changes_nothing(app, client):
    address = bring_in(app, client)
    response = client.get(address)
    assert buckets_of(response) == BUCKETS
    page = Page(response)
    assert "4 new, 0 updated, 0 unchanged" in page.text
    assert "2 of 6 addresses to review" in page.text
    assert set(prospects(app).index) >= {"A-1", "A-2", "A-3", "A-4"}
    again = bring_in(app, client)
    assert again != address
    assert "0 new, 0 updated, 4 unchanged" in Page(client.get(again)).text
    home = Page(client.get("/ops/import"))
    assert "12 of 12, newest first" in home.text


def test_the_report_holds_the_file_untouched_with_what_became_of_each_row(app, client):
    address = bring_in(app, client)
    response = client.get(f"{address}/report.csv", buffered=True)
    rows = list(csv.DictReader(io.StringIO(response.get_data(as_text=True).lstrip("\ufeff"))))
    original = list(csv.DictReader(io.StringIO(MESSY)))
    assert [row["bucket"] for row in rows] == [
        "placed", "conflict", "ambiguous", "approximate", "duplicate", "refused",
    ]  # fmt: skip
    for row, was in zip(rows, original, strict=True):
        for header, value in was.items():
            assert row[header] in {value, f"'{value}"}
    assert rows[0]["Favourite colour"] == "'=1+1"
    assert "accounts-import-11.csv" in response.headers["Content-Disposition"]
    book = openpyxl.load_workbook(
        io.BytesIO(client.get(f"{address}/report.xlsx", buffered=True).data)
    )
    sheet = book.active
    assert sheet.max_row == 7
    assert sheet["K2"].data_type != "f"
    book.close()


def test_an_import_whose_file_is_gone_still_reports_each_line(app, client):
    address = bring_in(app, client)
    (own,) = kept(app)
    press(client, f"/ops/import/files/{own.name}/discard")
    page = Page(client.get(f"{address}?show=refused"))
    assert "The file itself was not uploaded here" in page.text
    assert "'Martian' is unknown" in page.rows["tbody"][0][2]
    rows = list(
        csv.DictReader(io.StringIO(client.get(f"{address}/report.csv", buffered=True).text))
    )
    assert [row["line"] for row in rows] == ["2", "3", "4", "5", "6", "7"]


def test_an_undo_says_what_it_will_do_and_leaves_the_store_as_it_was(app, client):
    before = prospects(app)
    address = bring_in(app, client)
    asked = Page(client.get(f"{address}/undo"))
    assert "4 prospects that it added will be removed" in asked.text
    assert len(prospects(app)) == len(before) + 4  # asking is not doing
    assert press(client, f"{address}/undo").status_code == 303
    assert before.equals(prospects(app))
    page = Page(client.get(address))
    assert "This import was undone" in page.text
    assert press(client, f"{address}/undo").status_code == 409


def test_an_undo_that_cannot_be_says_what_stands_in_its_way(app, client):
    address = bring_in(app, client)
    bring_in(app, client, MESSY.replace(",900,", ",901,"))
    page = Page(client.get(f"{address}/undo"))
    assert "cannot be undone: import-12" in page.text
    assert not [given for tag, given in page.tags if tag == "form"]
    assert press(client, f"{address}/undo").status_code == 409


def test_a_file_is_imported_once_and_again_after_an_undo(app, client):
    address = bring_in(app, client)
    (own,) = kept(app)
    commit = f"/ops/import/files/{own.name}/commit"
    assert press(client, commit).status_code == 409
    press(client, f"{address}/undo")
    assert press(client, commit).status_code == 303
    assert work_off(app)[0].outcome["changes"]["new"] == 4


def test_an_import_whose_worker_dies_after_it_is_written_is_not_run_again(app, client, monkeypatch):
    def die(*_: object, **__: object) -> None:
        raise MemoryError

    page = drop(client).location
    press(client, f"{page}/commit")
    with monkeypatch.context() as dying:
        dying.setattr(requests, "_end", die)
        with pytest.raises(MemoryError):
            work_off(app)
    with open_store(app.config["TERRITORY"].store_url) as store:
        made = imports.history(store)
        made = made[made["source"] == "accounts.csv"]["import_id"].tolist()
        assert len(made) == 1
        with store.read() as transaction:
            (job,) = JobLedger(transaction).of_task(tasks.IMPORT, [DONE])
    assert [job.outcome["import_id"]] == made
    assert work_off(app) == []
    assert client.get(f"/ops/import/{made[0]}").status_code == 200


@pytest.mark.parametrize("uploads", [1, 4])
def test_four_commits_at_once_make_one_import(app, client, uploads):
    """A double click, two tabs, or four people who each dropped the same file."""
    addresses = [drop(client).location for _ in range(uploads)] * (4 // uploads)
    start = threading.Barrier(4)

    def commit(address: str) -> tuple[int, str]:
        own = app.test_client()
        form = token(own)
        start.wait(60)
        answer = own.post(f"{address}/commit", data={"csrf_token": form})
        return answer.status_code, answer.get_data(as_text=True)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(commit, addresses))
    assert sorted(status for status, _ in answers) == [303, 409, 409, 409]
    jobs_made = work_off(app)
    assert len(jobs_made) == 1
    assert all(jobs_made[0].job_id in text for status, text in answers if status == 409)
    with open_store(app.config["TERRITORY"].store_url) as store:
        made = imports.history(store)["source"].eq("accounts.csv").sum()
    assert made == 1


# ---- jobs on the page


def test_a_job_that_fails_says_why_and_the_way_back(app, client):
    address = drop(client, "Name\nAcme\n").location
    press(client, f"{address}/try")
    (own,) = kept(app)
    (own / "file.csv").write_bytes(b"")
    (job,) = work_off(app)
    page = Page(client.get(f"/ops/jobs/{job.job_id}"))
    assert "accounts.csv: the file is empty" in page.text
    assert "Nothing was imported" in page.text
    assert address in page.links


def test_a_job_is_stopped_from_its_page(app, client):
    address = drop(client).location
    job = press(client, f"{address}/try").location
    assert press(client, f"{job}/stop").status_code == 303
    assert "Stopped." in Page(client.get(job)).text
    assert client.get(f"{job}.json").get_json()["state"] == "stopped"
    assert work_off(app) == []
    assert press(client, f"{job}/stop").status_code == 409


def test_a_file_is_not_read_by_two_jobs_at_once(client):
    address = drop(client).location
    assert press(client, f"{address}/try").status_code == 303
    assert press(client, f"{address}/commit").status_code == 409


def test_a_job_nobody_knows_is_not_found(client):
    assert client.get("/ops/jobs/job-0").status_code == 404
    assert client.get("/ops/jobs/job-0.json").get_json()["error"]["status"] == 404


# ---- hostile texts


def test_hostile_texts_of_a_file_stay_text_on_every_page(app, client):
    texts = [text.replace("\0", "").replace("\n", " ") for text in TEXTS]
    out = io.StringIO()
    csv.writer(out).writerows(
        [["Account ID", "Name", texts[0], "City", "State"]]
        + [[f"h{n}-{text}", text, text, text, "IL"] for n, text in enumerate(texts)]
    )
    page = drop(client, out.getvalue(), name=f"{texts[0]}.csv").location
    press(client, f"{page}/try")
    work_off(app)
    press(client, f"{page}/commit")
    (done,) = work_off(app)
    result = f"/ops/import/{done.outcome['import_id']}"
    for address in (
        "/ops/import", page, f"{page}/trial", result, f"{result}?show=ambiguous", f"{result}/undo",
        "/ops/places", "/ops/places?q=<script>", "/ops/duplicates",
    ):  # fmt: skip
        response = client.get(address)
        assert response.status_code == 200, address
        tags = Page(response).tags
        assert not [given for tag, given in tags if tag == "img" or "onerror" in given], address
        assert not [given for tag, given in tags if tag == "script" and "src" not in given], address
    assert "49" not in Page(client.get(page)).text.split("{{7*7}}")[0]
