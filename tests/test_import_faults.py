"""An import that is killed in the middle leaves the store whole, and can be run again."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from sqlalchemy import create_engine, text

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
    engine = create_engine(postgresql_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CREATE DATABASE soaked"))
    engine.dispose()
    url = postgresql_url.replace("/postgres?", "/soaked?")
    check(soaked("--times", "3", "--rows", "500", "--store", url), times=3)
