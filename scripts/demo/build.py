#!/usr/bin/env python3
"""Build the demo company in data/demo/: real headquarters, everything else invented.

Run ``scripts/demo/build.py`` after ``pip install 'territory-mapper[build]'``. The company texts
come from the installed package ``pytickersymbols``; nothing is fetched. The same package and the
same tables in data/ give the same files, byte for byte. The report accounts for every company.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from pytickersymbols.indices_data import INDICES

from scripts.demo.assembly import account, assemble, csv_text
from territory.policy import read_policy

FOLDER = ROOT / "data" / "demo"


def main() -> None:
    """Write every file and print what became of every company."""
    demo = assemble(INDICES, read_policy(FOLDER / "policy.toml"))
    for kind, frame in demo.frames.items():
        path = FOLDER / f"{kind}.csv"
        path.write_text(csv_text(frame), encoding="utf-8", newline="\n")
        print(f"{path.name:20}{len(frame):6,} rows {path.stat().st_size:9,} bytes")
    print(f"pytickersymbols {version('pytickersymbols')}:", *account(demo), sep="\n")


if __name__ == "__main__":
    main()
