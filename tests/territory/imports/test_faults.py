"""An import that is killed in the middle leaves the store whole, and can be run again."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.conftest import ROOT

SOAK = ROOT / "scripts" / "soak" / "kill_imports.py"  # by itself it kills fifty


def soaked(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, str(SOAK), "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def check(told: dict[str, Any], times: int) -> None:
    assert told["faults"] == []
    assert told.get("killed", 0) + told.get("finished before", 0) == times
    assert told.get("before", 0) + told.get("after", 0) == times
    assert told.get("killed", 0) >= times / 2  # otherwise nothing was shown


def test_a_killed_import_leaves_all_rows_or_none_and_goes_through_when_run_again() -> None:
    check(soaked("--times", "6", "--rows", "1000"), times=6)


@pytest.mark.postgresql
def test_the_same_in_postgresql(postgresql_url: str) -> None:
    check(soaked("--times", "3", "--rows", "500", "--store", postgresql_url), times=3)
