"""The command line: a shell on the verbs, with one line per error and numbers at the end."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from click.testing import CliRunner

from territory import cli, serving, terminal, workflow
from territory.errors import InputError
from territory.findings import CODES
from territory.store import KINDS, open_store

if TYPE_CHECKING:
    from click.testing import Result

    from territory.store import Store

COMMANDS = ("demo", "import", "screen", "assign", "check", "explain", "export", "serve")
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
        "import sys, territory, territory.cli\n"
        "try: territory.cli.main(['--help'])\n"
        f"except SystemExit: pass\nsys.exit(' '.join(set({heavy}) & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_kinds_of_the_command_line_are_those_of_the_library() -> None:
    assert tuple(KINDS) == terminal.KINDS
    assert tuple(workflow.EXPORTS) == cli.EXPORTS


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


def test_a_dry_run_says_that_nothing_was_written(tmp_path: Path) -> None:
    (tmp_path / "reps.csv").write_text("rep_id,name\nR1,Ann\n")
    arguments = ("import", "reps", str(tmp_path / "reps.csv"), "--dry-run")
    for _ in range(2):
        result = call(*arguments, store=tmp_path / "s.sqlite")
        assert result.stdout.endswith("1 new, 0 updated, 0 unchanged. Nothing was written.\n")


def test_explain_prints_the_very_sentences_of_the_explanation(demo_store: Store) -> None:
    told = workflow.explain(demo_store, "walmart")
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
        assert f"{sums['severity']}: {sums['title']}" in printed
        assert f"  Remedy: {CODES[sums['code']].remedy}" in printed
    assert sum(sums["found"] for sums in told["totals"]) == len(told["findings"])
    assert printed.endswith(f"{len(told['findings']):,} findings.\n")


def test_assign_publishes_once_and_names_who_did(demo_store: Store, tmp_path: Path) -> None:
    first = call("assign", "--dry-run", store=demo_store)
    assert first.stdout.endswith("Nothing was written.\n")
    policy = tmp_path / "policy.toml"
    policy.write_text('name = "tight"\n[radius]\nlimit = "10mi"\n')
    wanted = ("assign", "--name", "2027-Q1", "--by", "Ops", "--policy", str(policy), "--json")
    told = json.loads(call(*wanted, store=demo_store).stdout)
    assert (told["plan_id"], told["published"]) == ("plan-2", True)
    again = call("assign", store=demo_store)
    assert "Nothing has changed since plan-2, which stays in force." in again.stdout
    record = workflow.explain(demo_store, "walmart").record
    assert record.startswith("Plan 2027-Q1 (plan-2)")
    assert "by Ops, " in record
    assert "Policy tight" in record


def test_export_writes_the_columns_that_other_programs_expect(
    demo_store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "prospects.csv"
    result = call("export", "prospects", str(path), store=demo_store)
    frame = pd.read_csv(path)
    assert result.stdout == f"{len(frame):,} rows in {path}.\n"
    assert {
        *("prospect_id", "name", "status", "segment", "lat", "lon", "precision", "uncertainty_mi"),
        *("market_id", "territory_id", "rep_id", "rule", "nearest_office_id", "distance_mi"),
        "verdict",
    } <= set(frame.columns)


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
        assert len(workflow.EXPORTS["sites"](store)) == 0


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
    with serving.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} of 127.0.0.1 cannot be had"):
            serving.listen("127.0.0.1", port)


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
    assert done.stdout == "module 'territory' has no attribute 'nonsense'\n", done.stderr
