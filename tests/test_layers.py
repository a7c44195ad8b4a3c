"""Imports point down the list of layers only."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# From the ground up: a module may import what stands on a line above its own, nothing else.
LAYERS = (
    ("errors", "keeping"),
    ("lengths", "words"),
    ("policy", "ellipsoid", "chords", "access", "chain", "passwords"),
    ("raster", "borders", "surface", "searching", "scoring"),
    ("schemas", "geodesy", "areas"),
    ("reference", "eligibility_policy", "eligibility_area", "snapshot"),
    (
        "cells",
        "cover_map",
        "criteria",
        "tallying",
        "eligibility_files",
        "eligibility_wording",
        "vetting",
        "vintage_tables",
    ),
    ("sieving", "delimited", "eligibility_disclosure", "eligibility_register", "routing"),
    ("targeting", "geofiles", "eligibility_planning", "eligibility_certificate"),
    ("sheets",),
    ("tables", "codes", "coordinates", "company_names", "slips", "figures", "industries"),
    ("contact_details",),
    ("cleaning", "headers", "units", "zip_areas", "polygon_files"),
    ("intake_log", "intake_places"),
    ("identity", "import_report", "merging", "duplicate_facts"),
    ("duplicates",),
    ("batches", "intake", "gazetteer_areas", "gazetteer_tables", "markets"),
    ("gazetteer",),
    ("geocoding",),
    (
        "placing_staleness",
        "placing_candidates",
        "online",
        "provider_results",
        "provider_http",
        "geocode_report",
    ),
    ("providers",),
    ("placing_decisions",),
    ("eligibility_homes", "eligibility_typed", "mapping_files"),
    ("eligibility_verdict",),
    ("assignment", "eligibility", "screening", "findings", "pipeline", "market_size"),
    ("coverage", "plans", "design", "eligibility_record", "families", "profile"),
    ("eligibility_batch",),
    ("drafting",),
    ("store",),
    ("homes",),
    ("audit",),
    ("accounts", "saved_views"),
    ("links", "api_tokens", "lockout", "sessions"),
    ("entry",),
    ("placing_worklist",),
    ("placing", "resolving", "partial_files"),
    ("namesakes", "relatives"),
    ("view_frames",),
    ("vintage", "views", "comparing", "geocode_run", "snapshotting", "account_work"),
    ("footprint", "quota_effect"),
    ("importing", "profiling"),
    ("exporting", "undoing", "paging", "book"),
    ("imports", "book_pdf"),
    ("workflow", "eligibility_deciding", "eligibility_verifying", "demo_users"),
    ("eligibility_rules", "eligibility_means"),
    ("eligibility_desk",),
    ("batch", "serving", "fair_worker", "job_queue", "uploads"),
    ("jobs", "home_files"),
    ("works", "working"),
    ("terminal",),
    ("cli_jobs",),
    ("cli_eligibility_desk",),
    ("cli_eligibility",),
    (
        "cli_data",
        "cli_import",
        "cli_places",
        "cli_profile",
        "cli_geocode",
        "cli_users",
        "cli_tokens",
        "cli_audit",
        "cli_export",
        "cli_work",
    ),
    ("cli_duplicates",),
    ("cli",),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
FORBIDDEN = {"territory": {"flask", "folium", "webmap", "branca"}, "webmap": set()}
PURE = (
    "company_names",
    "figures",
    "contact_details",
    "slips",
    "merging",
    "duplicate_facts",
    "duplicates",
    "families",
    "access",
    "chain",
    "ellipsoid",
    "chords",
    "raster",
    "geodesy",
    "intake",
    "intake_log",
    "intake_places",
    "identity",
    "gazetteer",
    "gazetteer_areas",
    "gazetteer_tables",
    "geocoding",
    "placing_staleness",
    "placing_candidates",
    "placing_decisions",
    "markets",
    "assignment",
    "eligibility",
    "eligibility_policy",
    "eligibility_area",
    "eligibility_certificate",
    "eligibility_disclosure",
    "eligibility_homes",
    "eligibility_planning",
    "eligibility_record",
    "eligibility_register",
    "eligibility_typed",
    "eligibility_verdict",
    "eligibility_wording",
    "findings",
    "pipeline",
    "market_size",
    "profile",
    "cover_map",
    "coverage",
    "plans",
    "drafting",
)
IMPURE = {"sqlalchemy", "time", "random", "socket", "requests", "urllib", "subprocess"}


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Every module that a file imports, type-checking imports left out."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def room(path: Path) -> str:
    relative = path.relative_to(ROOT / "territory")
    return relative.parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", modules("territory"), ids=lambda p: str(p.relative_to(ROOT)))
def test_library_imports_point_down(path: Path) -> None:
    name = room(path)
    if name == "__init__":
        return
    assert name in LEVEL, f"{path} has no place in LAYERS: give it one"
    for module in imports(path):
        parts = module.split(".")
        assert parts[0] not in FORBIDDEN["territory"], f"{name} imports {module}"
        if parts[0] == "territory" and len(parts) > 1 and parts[1] in LEVEL and parts[1] != name:
            assert LEVEL[parts[1]] < LEVEL[name], f"{name} imports {module}, which stands above it"


@pytest.mark.parametrize("name", PURE)
def test_pure_modules_import_no_clock_disk_or_network(name: str) -> None:
    path = ROOT / "territory" / f"{name}.py"
    if path.exists():
        assert not {module.split(".")[0] for module in imports(path)} & IMPURE


def test_only_maps_import_folium_and_only_the_store_imports_sqlalchemy() -> None:
    for path in modules("webmap"):
        heads = {module.split(".")[0] for module in imports(path)}
        if path.name not in {"maps.py", "lines.py", "assets.py"}:
            assert not heads & {"folium", "branca"}, path
        assert "sqlalchemy" not in heads, path
    for path in modules("territory"):
        if room(path) not in {"store", "homes"}:
            assert "sqlalchemy" not in {module.split(".")[0] for module in imports(path)}, path
