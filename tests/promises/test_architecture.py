"""What docs/architecture.md says of imports and no contract of import-linter can hold."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(
    path
    for top in ("territory", "webmap")
    for path in (ROOT / top).rglob("*.py")
    if "migrations" not in path.parts
)
IMPURE = {"sqlalchemy", "time", "random", "socket", "requests", "urllib", "subprocess"}
# Functions of what they are given: no clock, disk, network or database.
PURE = (
    "territory/cleaning/*.py",
    "territory/geodesy/*.py",
    "territory/markets/*.py",
    "territory/geocoding/g*.py",
    "territory/geocoding/review/placement.py",
    "territory/accounts/[bhmn]*.py",
    "territory/accounts/opportunities.py",
    "territory/access/scopes.py",
    "territory/access/hash_chain.py",
    "territory/imports/[cdhi]*.py",
    "territory/plans/assignment.py",
    "territory/plans/checks.py",
    "territory/plans/drafts.py",
    "territory/plans/explanation.py",
    "territory/plans/findings.py",
    "territory/plans/overlap_checks.py",
    "territory/plans/plan.py",
    "territory/prospects/[fqw]*.py",
    "territory/prospects/score.py",
    "territory/prospects/snapshot.py",
    "territory/reports/cover_map*.py",
    "territory/reports/profile*.py",
    "territory/eligibility/decision/[dgmv]*.py",
    "territory/eligibility/decision/record.py",
    "territory/eligibility/rules/[pw]*.py",
    "territory/eligibility/homes/rows.py",
    "territory/eligibility/desk/planning.py",
)


def imports(path: Path, *, with_typing: bool = True) -> set[str]:
    """Every module that a file imports anywhere."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            node.body = node.body if with_typing else [ast.Pass()]
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return names


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def importers_of(*packages: str) -> set[str]:
    """The files that import any of some packages at run time."""
    return {
        name_of(path)
        for path in MODULES
        if {name.split(".")[0] for name in imports(path, with_typing=False)} & set(packages)
    }


def test_sql_is_spoken_by_the_store_by_ledgers_and_by_the_database_of_homes() -> None:
    elsewhere = {
        name
        for name in importers_of("sqlalchemy")
        if not name.startswith("territory/store/")
        and not name.endswith("ledger.py")
        and name != "territory/eligibility/homes/store.py"
    }
    assert not elsewhere


def test_folium_is_imported_by_the_maps_of_the_app_and_by_explore() -> None:
    elsewhere = {
        name
        for name in importers_of("folium", "branca")
        if not name.startswith("webmap/maps/") and name != "territory/frames/explore.py"
    }
    assert not elsewhere


@pytest.mark.parametrize("pattern", PURE)
def test_pure_modules_import_no_clock_disk_or_network(pattern: str) -> None:
    paths = sorted(ROOT.glob(pattern))
    assert paths, "nothing is there any more: mend the list"
    for path in paths:
        assert not {name.split(".")[0] for name in imports(path)} & IMPURE, name_of(path)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_other_packages_are_imported_by_their_faces(path: Path) -> None:
    own = name_of(path.parent).replace("/", ".")
    deep = {
        name
        for name in imports(path)
        if name.startswith(("territory.", "webmap."))
        and name.rpartition(".")[0] not in {own, "territory", "webmap"}
        and (ROOT / f"{name.replace('.', '/')}.py").exists()
    }
    assert not deep, f"{name_of(path)}: take these from the package, not from its modules"
