"""The command line: a shell on the verbs, with one line per error and numbers at the end."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyogrio
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from territory import labels, reports
from territory.access import Scope
from territory.cli import export
from territory.cli import main as cli
from territory.errors import InputError
from territory.imports import Preview, mapping_text, read_mapping
from territory.labels import SEVERITY
from territory.plans import publish
from territory.plans.findings import CODES
from territory.store import KINDS, open_store
from webmap.server import listen

if TYPE_CHECKING:
    from click.testing import Result

    from territory.store import Store

COMMANDS = (
    "demo",
    "import",
    "imports",
    "mapping",
    "screen",
    "assign",
    "check",
    "explain",
    "export",
    "serve",
)
TERRITORY = Path(sys.executable).with_name("territory")


def call(*arguments: str, store: Store | Path) -> Result:
    """Run a command in this process, as ``main`` does."""
    url = str(store) if isinstance(store, Path) else store.url
    return CliRunner(env={"TERRITORY_STORE": url, "PORT": None}).invoke(
        _Main(), list(arguments), prog_name="territory"
    )


class _Main:
    """What CliRunner needs to run ``main``, exit codes and all."""

    name = "territory"

    def main(self, args: list[str], **_: object) -> None:
        cli.main(args)


def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command in a process of its own."""
    return subprocess.run(
        [str(TERRITORY), *arguments],
        capture_output=True,
        text=True,
        env=os.environ | env,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str, tmp_path: Path) -> None:
    result = call(command, "--help", store=tmp_path / "none.sqlite")
    assert result.exit_code == 0
    assert f"territory {command}" in result.stdout.split("Example")[1]
    assert not (tmp_path / "none.sqlite").exists()


def test_help_is_quick_because_nothing_heavy_is_imported() -> None:
    heavy = ("pandas", "numpy", "sqlalchemy", "shapely", "flask", "pyproj")
    script = (
        "import sys, territory\nfrom territory.cli.main import main\n"
        "try: main(['--help'])\n"
        f"except SystemExit: pass\nsys.exit(' '.join(set({heavy}) & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_kinds_of_the_command_line_are_those_of_the_library() -> None:
    assert tuple(KINDS) == labels.KINDS
    assert tuple(reports.EXPORTS) == export.EXPORTS


def test_a_file_is_imported_and_the_answer_ends_in_numbers(tmp_path: Path) -> None:
    (tmp_path / "reps.csv").write_text("rep_id,name\nR1,Ann\nR2,\nR1,Twin\n")
    result = call("import", "reps", str(tmp_path / "reps.csv"), store=tmp_path / "s.sqlite")
    assert result.exit_code == 0
    assert result.stdout == (
        "reps: 3 rows = 1 accepted, 1 duplicate, 1 refused; 1 new, 0 updated, 0 unchanged.\n"
    )
    told = [line for line in result.stderr.splitlines() if not line.endswith(" ...")]
    assert [line.split(":")[0] for line in told] == ["line 3", "line 4"]


def test_json_says_rows_and_buckets_and_is_json(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(
        "prospect_id,name,postal_code,employees,color\na,A,60601,,red\nb,,60601,5,blue\n"
    )
    path = str(tmp_path / "p.csv")
    result = call("import", "prospects", path, "--json", store=tmp_path / "s.sqlite")
    told = json.loads(result.stdout)
    assert (told["rows"], told["approximate"], told["refused"], told["new"]) == (2, 1, 1, 1)
    assert told["reconciles"] is True
    assert told["refused_rows"][0]["line"] == 3
    assert told["ignored_columns"] == ["color"]


def test_a_dry_run_says_that_nothing_was_written_and_makes_no_store(tmp_path: Path) -> None:
    (tmp_path / "reps.csv").write_text("rep_id,name\nR1,Ann\n")
    path, store = str(tmp_path / "reps.csv"), tmp_path / "s.sqlite"
    for _ in range(2):
        result = call("import", "reps", path, "--dry-run", store=store)
        assert result.stdout.endswith("1 new, 0 updated, 0 unchanged. Nothing was imported.\n")
        assert sorted(name.name for name in tmp_path.iterdir()) == ["reps.csv"]
    call("import", "reps", path, store=store)
    again = json.loads(call("import", "reps", path, "--dry-run", "--json", store=store).stdout)
    assert (again["unchanged"], again["import_id"], again["dry_run"]) == (1, None, True)


def test_a_mapping_is_printed_edited_used_and_remembered(tmp_path: Path) -> None:
    path, store = tmp_path / "odd.csv", tmp_path / "s.sqlite"
    path.write_text('Wer,"St\\ate ""x"" [1]",Rank\nAcme,CO,1\n')
    printed = call("mapping", "prospects", str(path), store=store)
    assert "needs 'name'" in printed.stderr
    assert not store.exists()
    text = printed.stdout.replace('"Wer" = ""', '"Wer" = "name"')
    edited = tmp_path / "odd.toml"
    edited.write_text(text.replace('[1]" = ""', '[1]" = "state"'), encoding="utf-8")
    arguments = ("import", "prospects", str(path))
    refused = call(*arguments, store=store)
    assert refused.exit_code == 2
    told = json.loads(call(*arguments, "--mapping", str(edited), "--json", store=store).stdout)
    assert told["mapping"] == {"Wer": "name", 'St\\ate "x" [1]': "state"}
    assert (told["new"], told["ignored_columns"]) == (1, ["Rank"])
    again = json.loads(call(*arguments, "--json", store=store).stdout)
    assert (again["unchanged"], again["mapping"]) == (1, told["mapping"])
    seen = json.loads(call("mapping", "prospects", str(path), "--json", store=store).stdout)
    assert (seen["origin"], seen["problem"], seen["mapping"]["Rank"]) == ("remembered", None, "")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "not readable as TOML (No such file"),
        ("mapping = [", "not readable as TOML"),
        ("[columns]\na = 'name'\n", "`kind` and a table [mapping]"),
        ("kind = 'reps'\n[mapping]\n", "is for 'reps', not for prospects"),
        ("[mapping]\na = 1\n", "'a': write the name of a column between quotes"),
        ("[mapping]\nb = 'name'\n", "the file has no column 'b'"),
    ],
)
def test_a_mapping_file_that_does_not_fit_is_refused(
    tmp_path: Path, text: str | None, told: str
) -> None:
    (tmp_path / "a.csv").write_text("a\n1\n")
    if text is not None:
        (tmp_path / "m.toml").write_text(text)
    files = (str(tmp_path / "a.csv"), "--mapping", str(tmp_path / "m.toml"))
    result = call("import", "prospects", *files, store=tmp_path / "s.sqlite")
    assert result.exit_code == 2
    assert told in result.stderr


def test_a_full_import_tells_what_the_file_lacks(tmp_path: Path) -> None:
    path, store = tmp_path / "reps.csv", tmp_path / "s.sqlite"
    path.write_text("rep_id,name\nR1,Ann\nR2,Bo\n")
    call("import", "reps", str(path), store=store)
    path.write_text("rep_id,name\nR1,Ann\n")
    result = call("import", "reps", str(path), "--full", store=store)
    assert result.stdout.endswith("1 unchanged; 1 not in the file, kept as they are.\n")
    assert "Not in the file: R2." in result.stderr
    shown = call("imports", "show", "import-2", store=store).stdout
    assert shown.startswith("Not in the file: R2.\nimport-2: reps.csv, ")


def test_where_the_rows_went_is_written_beside_the_columns_of_the_file(tmp_path: Path) -> None:
    path, store = tmp_path / "reps.csv", tmp_path / "s.sqlite"
    path.write_text("rep_id,name,odd\nR1,=1+1,007\nR2,,\n")
    out = tmp_path / "where.csv"
    call("import", "reps", str(path), "--report", str(out), store=store)
    first = out.read_text(encoding="utf-8")
    assert first.splitlines()[:2] == [
        "rep_id,name,odd,line,key,bucket,change,reason,remedy,note",
        "R1,'=1+1,007,2,R1,accepted,new,,,",
    ]
    later = ("imports", "report", "import-1", str(out), "--original", str(path))
    out.unlink()
    assert call(*later, store=store).stdout == f"2 rows in {out}.\n"
    assert out.read_text(encoding="utf-8") == first
    sheet = tmp_path / "where.xlsx"
    told = json.loads(
        call("imports", "report", "import-1", str(sheet), "--json", store=store).stdout
    )
    assert told == {"rows": 2, "file": str(sheet)}
    assert pd.read_excel(sheet)["bucket"].tolist() == ["accepted", "refused"]
    refused = call("import", "reps", str(path), "--report", "out.doc", store=store)
    assert refused.exit_code == 2
    assert len(json.loads(call("imports", "list", "--json", store=store).stdout)) == 1


def test_imports_are_listed_shown_and_taken_back(tmp_path: Path) -> None:
    path, store = tmp_path / "reps.csv", tmp_path / "s.sqlite"
    path.write_text("rep_id,name\nR1,Ann\nR2,\n")
    call("import", "reps", str(path), "--by", "Ann Ash", store=store)
    listed = call("imports", "list", store=store).stdout.splitlines()
    assert listed[0].startswith("import-1: reps.csv, ")
    assert "by Ann Ash. reps: 2 rows = 1 accepted" in listed[0]
    assert listed[-1] == "1 imports."
    assert call("imports", "list", "--kind", "offices", store=store).stdout == "0 imports.\n"
    shown = call("imports", "show", "import-1", store=store).stdout.splitlines()
    assert shown == ["line 3: refused: no name", listed[0]]
    told = json.loads(call("imports", "show", "import-1", "--json", store=store).stdout)
    assert [row["bucket"] for row in told["outcomes"]] == ["accepted", "refused"]
    tried = call("imports", "undo", "import-1", "--dry-run", store=store)
    assert tried.stdout.endswith("Nothing was changed.\n")
    done = json.loads(
        call("imports", "undo", "import-1", "--by", "Bo", "--json", store=store).stdout
    )
    assert (done["removed"], done["restored"]) == (1, 0)
    again = call("imports", "undo", "import-1", store=store)
    assert (again.exit_code, again.stdout) == (1, "")
    assert "undone already" in again.stderr
    assert " by Bo." in call("imports", "list", store=store).stdout
    gone = call("imports", "show", "import-7", store=store)
    assert gone.exit_code == 2
    assert "`territory imports list`" in gone.stderr


@pytest.mark.parametrize("command", ["list", "show", "report", "undo"])
def test_every_command_on_imports_has_help_with_an_example(command: str, tmp_path: Path) -> None:
    result = call("imports", command, "--help", store=tmp_path / "none.sqlite")
    assert f"territory imports {command}" in result.stdout.split("Example")[1]


headers = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


@settings(deadline=None, derandomize=True)
@given(st.lists(headers, min_size=1, max_size=5, unique=True), st.text(max_size=8))
def test_any_header_survives_being_written_as_toml(names: list[str], source: str) -> None:
    columns = pd.DataFrame(
        {"column": ["name", "city"], "is_required": True, "header": [names[0], None]}
    )
    seen = Preview(
        "prospects", source, tuple(names), columns, {names[0]: "name"}, "given", columns, None
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.toml"
        path.write_text(mapping_text(seen), encoding="utf-8", newline="")
        assert read_mapping(path, "prospects") == {names[0]: "name"} | dict.fromkeys(names[1:], "")


def test_explain_prints_the_very_sentences_of_the_explanation(demo_store: Store) -> None:
    told = publish.explain(demo_store, "walmart", scope=Scope.everything())
    result = call("explain", "walmart", store=demo_store)
    assert result.stdout.splitlines() == told.lines()
    as_json = json.loads(call("explain", "walmart", "--json", store=demo_store).stdout)
    assert as_json["sentence"] == told.sentence
    assert [step["outcome"] for step in as_json["steps"]] == [s.outcome for s in told.steps]


def test_check_tells_n_of_m_with_examples_and_remedies(demo_store: Store) -> None:
    printed = call("check", store=demo_store).stdout
    told = json.loads(call("check", "--json", store=demo_store).stdout)
    assert told["findings"]
    for sums in told["totals"]:
        assert f"{SEVERITY[sums['severity']]}: {sums['title']}" in printed
        assert f"  What to do: {CODES[sums['code']].remedy}" in printed
    assert sum(sums["found"] for sums in told["totals"]) == len(told["findings"])
    by_severity = Counter(one["severity"] for one in told["findings"])
    counted = ", ".join(f"{by_severity[one]:,} {words.lower()}" for one, words in SEVERITY.items())
    assert printed.endswith(f"{len(told['findings']):,} findings: {counted}.\n")


def test_assign_publishes_once_and_names_who_did(demo_store: Store, tmp_path: Path) -> None:
    first = call("assign", "--dry-run", store=demo_store)
    assert first.stdout.endswith("Nothing was written.\n")
    policy = tmp_path / "policy.toml"
    policy.write_text('name = "tight"\n[radius]\nlimit = "10mi"\n')
    wanted = ("assign", "--name", "2027-Q1", "--by", "Ops", "--policy", str(policy), "--json")
    told = json.loads(call(*wanted, store=demo_store).stdout)
    assert (told["plan_id"], told["published"]) == ("plan-2", True)
    again = call("assign", store=demo_store)
    assert "Nothing has changed since plan-2, which remains in force." in again.stdout
    record = publish.explain(demo_store, "walmart", scope=Scope.everything()).record
    assert record.startswith("Plan 2027-Q1 (plan-2)")
    assert "by Ops, " in record
    assert "Policy tight" in record


def test_export_writes_the_columns_that_other_programs_expect(
    demo_store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "prospects.csv"
    result = call("export", "prospects", str(path), store=demo_store)
    frame = pd.read_csv(path)
    located, rows = int(frame["lon"].notna().sum()), len(frame)
    assert 0 < located < rows
    told = f"{rows:,} rows in {path}. {located:,} of {rows:,} have a location.\n"
    assert result.stdout == told
    assert {
        *("prospect_id", "name", "status", "segment", "lat", "lon", "precision", "uncertainty_mi"),
        *("market_id", "territory_id", "rep_id", "rule", "nearest_office_id", "distance_mi"),
        "verdict",
    } <= set(frame.columns)


@pytest.mark.parametrize("suffix", ["geojson", "kml", "gpkg"])
def test_a_map_of_prospects_holds_every_row_and_those_without_a_location_no_point(
    demo_store: Store, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"prospects.{suffix}"
    told = json.loads(call("export", "prospects", str(path), "--json", store=demo_store).stdout)
    held = reports.EXPORTS["prospects"](demo_store, scope=Scope.everything())
    frame = pyogrio.read_dataframe(path)
    assert frame["prospect_id"].tolist() == held["prospect_id"].tolist()
    assert frame.geometry.isna().tolist() == held["lon"].isna().tolist()
    located = int(held["lon"].notna().sum())
    assert told == {"rows": len(held), "located": located, "file": str(path)}


def test_screen_needs_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("offices.csv").write_text("office_id,name,lat,lon\nA,Alpha,41.0,-87.0\n")
    Path("in.csv").write_text("who,lat,lon\nnear,41.1,-87.1\nfar,45,-100\n")
    arguments = ("screen", "in.csv", "out.csv", "--offices", "offices.csv", "--radius", "50mi")
    result = call(*arguments, store=tmp_path / "none.sqlite")
    assert result.exit_code == 0, result.stderr
    assert pd.read_csv("out.csv")["verdict"].tolist() == ["in", "out"]
    assert not (tmp_path / "none.sqlite").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("import", "offices", "gone.csv"), "gone.csv: there is no such file."),
        (("import", "castles", "x.csv"), "'castles' is not one of 'offices'"),
        (("screen", "a.csv", "b.csv", "--offices", "o.csv", "--radius", "-5mi"), "'-5mi'"),
        (("screen", "a.csv", "b.csv", "--offices", "o.csv", "--radius", "50"), "mi, km or m"),
        (("explain", "nobody"), "No prospect 'nobody' in plan-1."),
        (("export", "prospects", "out.doc"), "out.doc"),
        (("assign", "--policy", "gone.toml"), "gone.toml"),
        (("serve", "--host", "192.0.2.1"), "only this machine"),
        (("serve", "--port", "99999"), "99999"),
        (("bogus",), "No such command 'bogus'. See territory --help."),
        (("import", "offices"), "Missing argument 'FILE'. See territory import --help."),
    ],
)
def test_bad_input_is_one_line_on_stderr_and_exit_code_2(
    demo_store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = call(*arguments, store=demo_store)
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("territory: ")
    assert told in line


def test_reading_from_a_store_that_is_not_there_fails_and_makes_none(tmp_path: Path) -> None:
    result = call("check", store=tmp_path / "gone.sqlite")
    assert result.exit_code == 1
    assert "No store at" in result.stderr
    assert not (tmp_path / "gone.sqlite").exists()


def test_without_a_command_the_help_is_shown(tmp_path: Path) -> None:
    result = call(store=tmp_path / "s.sqlite")
    assert result.exit_code == 2
    assert "Commands:" in result.stderr
    assert len(result.stderr.splitlines()) > 10


def test_the_demo_leaves_data_of_ones_own_alone(demo_store: Store, tmp_path: Path) -> None:
    loaded = call("demo", "--if-empty", "--json", store=demo_store)
    assert json.loads(loaded.stdout) == {"loaded": False}
    mine = tmp_path / "mine.sqlite"
    (tmp_path / "reps.csv").write_text("rep_id,name\nR1,Ann\n")
    call("import", "reps", str(tmp_path / "reps.csv"), store=mine)
    refused = call("demo", store=mine)
    assert refused.exit_code == 2
    assert "data of yours" in refused.stderr
    with open_store(str(mine)) as store:
        assert len(reports.EXPORTS["sites"](store, scope=Scope.everything())) == 0


def test_the_installed_command_makes_the_demo_and_serves_it_on_loopback(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/deep/demo.sqlite"
    made = run("--store", url, "demo", "--json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["published"] is True
    server = subprocess.Popen(
        [str(TERRITORY), "--store", url, "serve", "--workers", "1"],
        env=os.environ | {"PORT": "0", "TERRITORY_VAR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        address = server.stdout.readline().split()[1]  # waits until it is ready
        assert address.startswith("http://127.0.0.1:")
        host, port = address.removeprefix("http://").rstrip("/").split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=30)
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
        connection.close()
        server.send_signal(signal.SIGTERM)
        _, errors = server.communicate(timeout=30)
    finally:
        server.kill()
        server.wait()
    assert (server.returncode, errors) == (0, "")


def test_a_port_that_is_taken_is_said_to_be() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} of 127.0.0.1 cannot be had"):
            listen("127.0.0.1", port)


def test_the_package_offers_its_verbs_without_importing_them() -> None:
    script = (
        "import sys, territory\n"
        "assert 'pandas' not in sys.modules\n"
        "assert 'assign' in dir(territory)\n"
        "assert all(getattr(territory, name) for name in territory.__all__)\n"
        "try: territory.nonsense\n"
        "except AttributeError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert "nonsense" in done.stdout, done.stderr


def test_the_demo_company_decides_who_lives_near_enough(tmp_path: Path) -> None:
    store = ["--store", str(tmp_path / "demo.sqlite")]
    for words in (["demo"], ["demo"], ["eligibility", "policies", "list"]):
        told = CliRunner().invoke(cli.cli, [*store, *words])
        assert told.exit_code == 0, told.output
    assert told.output.startswith("fifty-mile-rule 1: published")
