#!/usr/bin/env python
"""Try a folder of cases (small files of the field) against what is expected; say how many hold.

    scripts/cases.py                  the cases in tests/fixtures/cases
    scripts/cases.py ../shared/cases  another folder of the same files

A case holds if each of its tests passes (``pytest.mark.case`` names the case of a test).
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "tests" / "fixtures" / "cases"


class Tally:
    """The outcomes of the tests of each case."""

    def __init__(self) -> None:
        self.cases: dict[str, list[str]] = {}
        self.outcomes: defaultdict[str, set[str]] = defaultdict(set)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Note which case each test is of."""
        for item in items:
            self.cases[item.nodeid] = [
                str(name) for mark in item.iter_markers("case") for name in mark.args
            ]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how a test ended."""
        if report.when == "call" or report.outcome != "passed":
            for case in self.cases.get(report.nodeid, ()):
                self.outcomes[case].add(report.outcome)


def main() -> int:
    """Run the tests of the cases, print each case and how many hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    folder = parser.parse_args().folder.resolve()
    tally = Tally()
    tests = str(ROOT / "tests" / "promises" / "cases")
    pytest.main(["-q", "--no-header", "--tb=line", f"--cases={folder}", tests], plugins=[tally])
    hold = [case for case, outcomes in tally.outcomes.items() if outcomes == {"passed"}]
    for case in sorted(tally.outcomes):
        print(f"{case:8}{'holds' if case in hold else 'fails'}")
    print(f"{len(hold)} of {len(tally.outcomes)} cases hold.")
    return 0 if len(hold) == len(tally.outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
