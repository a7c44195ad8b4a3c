"""What data/ holds and what it is made of, in the words and figures of data/README.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from scripts.data.sources import SOURCES

if TYPE_CHECKING:
    from pathlib import Path


def describe(folder: Path) -> str:
    """Two Markdown tables: the files of ``folder`` with their rows, and the packages."""
    files = [f"| `{path.name}` | {_rows(path)} |" for path in sorted(folder.glob("*.parquet"))]
    packages = [
        f"| {one.registry} `{one.name}` {one.version} | {one.origin} | {one.licence} |"
        for one in SOURCES
    ]
    return "\n".join(
        [
            "| file | rows | columns |",
            "|---|---|---|",
            *files,
            "",
            "| package | what was taken | licence |",
            "|---|---|---|",
            *packages,
        ]
    )


def vintage() -> str:
    """What the tables are made of and of when it is, for `territory data status`."""
    sources = [f'    "{one.origin} ({one.name} {one.version})",' for one in SOURCES]
    return "\n".join(["sources = [", *sources, "]", ""])


def _rows(path: Path) -> str:
    """Row count and column names as they stand in the file."""
    schema = pq.read_schema(path)
    return f"{pq.read_metadata(path).num_rows:,} | {', '.join(schema.names)}"
