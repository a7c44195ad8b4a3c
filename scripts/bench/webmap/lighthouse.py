"""What Lighthouse says of the pages, served as they really run, on a desktop and on a phone.

    python scripts/bench/webmap/lighthouse.py [--json]

Starts ``territory serve`` over the demo company, signs in as sales ops and asks Lighthouse, which
``scripts/test`` installs from ``tests/web/audits``, about the home page, a market and a card. On a
phone it plays a slow one on a slow network. A busy machine lowers the figures for performance,
which is why the tests assert accessibility and best practices alone.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[3])]


import requests

ROOT = Path(__file__).resolve().parents[3]
LIGHTHOUSE = (
    ROOT / "tests" / "browser" / "audits" / "node_modules" / "lighthouse" / "cli" / "index.js"
)
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-sync", "--disable-background-networking",
         "--disable-component-update")  # fmt: skip
CATEGORIES = ("performance", "accessibility", "best-practices")
PAGES = {
    "home": "",
    "market": "markets/M-CHI",
    "card": "markets/M-CHI?prospect=abbott-laboratories",
}
BARS = {
    "desktop": {"performance": 100, "accessibility": 100, "best-practices": 100},
    "phone": {"performance": 95, "accessibility": 100, "best-practices": 100},
}
LONGEST_S = 180
LOST, TRIES = "NO_NAVSTART", 3  # its own recording lacks its beginning: it asks to be run again


def missing() -> str | None:
    """Say what is not here that it takes to run; None where all is."""
    if shutil.which("node") is None:
        return "no node (apt-get install nodejs npm)"
    if shutil.which("chromium") is None:
        return "no chromium (apt-get install chromium)"
    return None if LIGHTHOUSE.is_file() else f"no {LIGHTHOUSE.relative_to(ROOT)} (scripts/test)"


def ask(
    address: str, cookie: str, form: str = "desktop", categories: tuple[str, ...] = CATEGORIES
) -> tuple[dict[str, int], list[str]]:
    """Let Lighthouse look at a page as whoever has the cookie, on a "desktop" or a "phone".

    Gives the points of each category, of 100, and in words what it found wrong.

    Raises
    ------
    subprocess.CalledProcessError
        If Lighthouse ends without a report.
    """
    command = [
        "node", str(LIGHTHOUSE), address, "--quiet", "--output=json",
        f"--only-categories={','.join(categories)}", f"--chrome-flags={' '.join(FLAGS)}",
        f"--extra-headers={json.dumps({'Cookie': _cookies(address, cookie)})}",
        "--no-enable-error-reporting", "--max-wait-for-load=60000",
        *(["--preset=desktop"] if form == "desktop" else []),
    ]  # fmt: skip
    report = json.loads(_run(command))
    points = {name: round(100 * report["categories"][name]["score"]) for name in categories}
    told = [
        f"{found['id']}: {found['title']}"
        for found in report["audits"].values()
        if found["scoreDisplayMode"] in {"binary", "error"} and (found["score"] or 0) < 1
    ]
    return points, told


def _run(command: list[str]) -> str:
    for left in reversed(range(TRIES)):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=LONGEST_S, check=False,
                env=os.environ
                | {
                    "CHROME_PATH": shutil.which("chromium") or "",
                    "TMPDIR": folder,
                    "TZ": "UTC",  # elsewhere the page sets a cookie, in whose place ours is lost
                },
            )  # fmt: skip
        if not (left and done.returncode and LOST in done.stderr):
            break
    done.check_returncode()
    return done.stdout


def _cookies(address: str, cookie: str) -> str:
    """Give all cookies that the page wants: one that it set itself would send the others away."""
    own = f"territory-session={cookie}"
    answer = requests.get(address, headers={"Cookie": own}, timeout=60)
    return "; ".join([own, *(f"{name}={value}" for name, value in answer.cookies.items())])


def main() -> None:
    from scripts.bench import measure
    from scripts.bench.webmap import server as servers
    from scripts.bench.webmap.company import Company
    from territory import demo as demo_company
    from territory.access import users
    from territory.store import open_store

    parser = measure.parser(__doc__)
    options = parser.parse_args()
    if reason := missing():
        parser.exit(2, f"Lighthouse cannot run: {reason}.\n")
    rows: dict[str, measure.Figures] = {}
    bars = []
    with tempfile.TemporaryDirectory() as folder:
        company = Company(Path(folder), 0, 0.0, 0.0)
        with open_store(company.url) as store:
            now = datetime.now(UTC)
            demo_company.load_demo(store, now=now)
            users.add_user(
                store, "ops@bench.invalid", name="Ops", roles={"ops"}, by="bench", now=now
            )
        cookie = servers.sign_in(company, 1)[0]
        with servers.serving(company) as server:
            for page, path in PAGES.items():
                for form, wanted in BARS.items():
                    runs = [
                        ask(server.address + path, cookie, form)[0] for _ in range(options.repeat)
                    ]
                    points = {name: statistics.median(run[name] for run in runs) for name in wanted}
                    rows[f"{page}, {form}"] = {**points, "load_average": os.getloadavg()[0]}
                    bars += [
                        measure.Bar(f"{page}, {form}: {name}", points[name], at_least=least)
                        for name, least in wanted.items()
                    ]
    measure.report(rows, bars, options)


if __name__ == "__main__":
    main()
