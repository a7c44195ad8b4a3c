"""Every benchmark starts, and that of imports goes from end to end on a small list."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT

BENCHES = sorted(
    path
    for path in (ROOT / "scripts" / "bench").rglob("*.py")
    if path.name != "measure.py" and "measure.parser(__doc__)" in path.read_text("utf-8")
)


@pytest.mark.parametrize("path", BENCHES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_bench_says_what_it_measures(path):
    target = path.parent if path.name == "__main__.py" else path
    run = subprocess.run(
        [sys.executable, str(target), "--help"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert "usage:" in run.stdout


def test_the_bench_of_imports_reads_a_list_and_plans_with_it(tmp_path):
    rows = ["Name,City,State,Zip", *(f"Company {n},Chicago,IL,60601" for n in range(40))]
    (tmp_path / "companies.csv").write_text("\n".join(rows))
    run = subprocess.run(
        [sys.executable, "scripts/bench/imports", str(tmp_path), "--contender", "companies.csv"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    figures = json.loads(run.stdout.split("figures: ")[1])
    assert (figures["rows"], figures["approximate"], figures["changed_again"]) == (40, 40, 0)
