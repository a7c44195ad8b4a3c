"""No test asserts how long anything takes: on a busy machine it would fail for no fault of ours."""

from __future__ import annotations

import ast
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
# Not ``process_time``: what a process spends of the processor is its own, however busy others are.
CLOCKS = {"monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "time", "time_ns"}


def reads_a_clock(node: ast.AST) -> bool:
    """Whether an expression asks the machine for the time."""
    return any(
        isinstance(part, ast.Attribute)
        and part.attr in CLOCKS
        and isinstance(part.value, ast.Name)
        and part.value.id == "time"
        for part in ast.walk(node)
    )


def asserted(tree: ast.AST) -> list[int]:
    """Give the lines of assertions that rest on a clock, or on what was read of one."""
    names = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and reads_a_clock(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert)
        and (
            reads_a_clock(node.test)
            or any(isinstance(part, ast.Name) and part.id in names for part in ast.walk(node.test))
        )
    ]


def test_no_assertion_rests_on_a_clock() -> None:
    found = [
        f"{path.relative_to(TESTS)}:{line}"
        for path in sorted(TESTS.rglob("*.py"))
        for line in asserted(ast.parse(path.read_text("utf-8")))
    ]
    assert found == []


def test_such_an_assertion_is_found() -> None:
    told = "start = time.monotonic()\nask()\nassert time.monotonic() - start < 5\n"
    assert asserted(ast.parse(told)) == [3]
    assert asserted(ast.parse("end = time.time() + 5\nassert now() < end\n")) == [2]
    assert asserted(ast.parse("assert report.time == 3\n")) == []
