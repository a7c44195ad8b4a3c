#!/usr/bin/env python3
"""Hold the installed packages against the advisories that the package index knows.

Usage: scripts/docs/audit.py     after scripts/setup test

Fails when one has a known vulnerability. An index that tells no advisories audits nothing, and
that is said: "0 of 118 packages audited".
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

AUDIT = Path(__file__).resolve().parents[2] / ".venv" / "bin" / "pip-audit"
COMMAND = [str(AUDIT), "--local", "--skip-editable", "--format=json", "--progress-spinner=off"]


def main() -> int:
    ran = subprocess.run(COMMAND, capture_output=True, text=True, check=False, timeout=300)
    if not ran.stdout:
        print(f"Not audited: {ran.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return 0
    packages = json.loads(ran.stdout)["dependencies"]
    audited = [one for one in packages if "vulns" in one]
    found = [(one, fault) for one in audited for fault in one["vulns"]]
    for package, fault in found:
        remedy = ", ".join(fault["fix_versions"]) or "no version yet"
        print(f"{package['name']} {package['version']}: {fault['id']}, mended in {remedy}")
    print(f"{len(audited)} of {len(packages)} packages audited, {len(found)} known vulnerabilities")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
