"""Work whose processes are killed leaves the store whole, and is done once after all."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.conftest import ROOT

SOAK = ROOT / "scripts" / "soak" / "kills.py"  # by itself it kills a hundred


def soaked(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, str(SOAK), "--json", "--rows", "400", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def check(told: dict[str, Any], kills: int) -> None:
    assert told["kills"] == kills
    assert [each["faults"] for each in told["found"]] == [[]] * kills
    assert told["during"] >= kills / 2  # otherwise nothing was shown


def test_killed_imports_lose_and_double_nothing() -> None:
    check(soaked("--work", "import", "--kills", "6"), kills=6)


@pytest.mark.postgresql
def test_the_same_in_postgresql(postgresql_url: str) -> None:
    check(soaked("--work", "import", "--kills", "3", "--database", postgresql_url), kills=3)
