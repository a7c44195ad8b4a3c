#!/usr/bin/env python
"""Write the table of source systems in docs/import.md from the code; --check only compares."""

from __future__ import annotations

import sys
from pathlib import Path

from territory.imports.headers import SYSTEMS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "import.md"
START, END = "<!-- source systems: start -->", "<!-- source systems: end -->"


def table() -> str:
    """Draw the table in Markdown."""
    lines = [
        "| file | rows are | header: field | not used |",
        "|---|---|---|---|",
    ]
    for system in SYSTEMS:
        used = [f"{header}: {column}" for header, column in system.columns.items() if column]
        unused = [header for header, column in system.columns.items() if not column]
        cells = (system.name, system.kind, "; ".join(used), "; ".join(unused) or "–")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> int:
    """Write or check the page."""
    text = PAGE.read_text("utf-8")
    before, rest = text.split(START)
    after = rest.split(END)[1]
    whole = f"{before}{START}\n{table()}\n{END}{after}"
    if "--check" in sys.argv[1:]:
        return int(whole != text)
    PAGE.write_text(whole, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
