"""A map of a million prospects, side by side with plain folium: how fast, how large, how many.

    python scripts/bench/webmap [--n 10000,100000,1000000] [--ten-million] [--folder FOLDER]
                                   [--no-peers] [--json]

Draws prospects at real ZIP codes, imports and publishes them through the verbs that people use,
starts ``territory serve`` with its two workers and signs in. Headless Chromium opens the page of
the one market that holds them all, five times as new, then drags, zooms and filters; 16 signed-in
clients then ask ``/view.json`` for ten seconds, three times. Beside it stand pages that folium
makes of the same points (``Marker``, ``FastMarkerCluster``, ``GeoJson``), served compressed
from this machine with the same base map, where they load at all within a minute.

``--folder`` keeps the stores, which take minutes to make, for another run. ``--ten-million``
measures the page at ten million as well; its snapshot is written without importing so many rows,
which would take half an hour. Other load on the machine counts: its load average is told.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT)]


from scripts.bench import measure
from scripts.bench.webmap import company as companies
from scripts.bench.webmap import load
from scripts.bench.webmap import page as pages
from scripts.bench.webmap import server as servers

if TYPE_CHECKING:
    import argparse

    from scripts.bench.webmap.company import Company

SIZES = "10000,100000,1000000"
MOST = 10_000_000
OURS = "ours"
LOAD_S, LOADS = 10, 3
ASKED = (
    "n", "first_visit_bytes", "first_prospects_ms", "filter_median_ms", "filter_worst_ms",
    "zoom_ms", "drag_worst_frame_ms", "view_requests_per_s", "view_p99_ms", "worker_extra_mb",
    "outside_requests",
)  # fmt: skip
# The bars at a million, and at ten million: what at most, and how many requests at least.
BARS = {
    "first_visit_bytes": 200_000, "first_prospects_ms": 600, "filter_median_ms": 100,
    "filter_worst_ms": 200, "zoom_ms": 200, "drag_worst_frame_ms": 50, "view_p99_ms": 200,
    "view_errors": 0, "worker_extra_mb": 150, "outside_requests": 0,
}  # fmt: skip
BARS_OF_MOST = {"first_prospects_ms": 1000, "filter_median_ms": 300, "outside_requests": 0}
AT_LEAST = {"view_requests_per_s": 400}


def ours(company: Company) -> measure.Figures:
    """Measure the app over one company."""
    cookies = servers.sign_in(company, companies.PEOPLE)
    with servers.serving(company) as server, pages.chromium() as browser:
        address = f"{server.address}markets/{companies.EVERYWHERE}"
        target = pages.Target(address, cookies[0], is_ours=True, limit_s=600)
        started = time.perf_counter()
        for _ in range(2 * servers.WORKERS):  # every worker has its snapshot, its maps and tiles
            pages.visit(browser, target)
        warm_s = time.perf_counter() - started
        figures = {"warm_up_s": warm_s, **pages.look(browser, target)}
        figures |= under_load(server, cookies[1:])
    return {
        "n": company.prospects,
        "import_s": company.import_s,
        "assign_s": company.assign_s,
        **figures,
        "load_average": os.getloadavg()[0],
    }


def under_load(server: servers.Server, cookies: list[str]) -> measure.Figures:
    """Let sixteen ask at once, time and again: medians, the worst p99, all errors; then memory."""
    cpu, address = server.cpu_s(), server.address.rstrip("/")
    rounds = [load.ask_many(address, cookies, LOAD_S) for _ in range(LOADS)]
    cpu = server.cpu_s() - cpu
    held = [servers.memory(worker) for worker in server.workers()]
    return {
        "view_requests_per_s": statistics.median(one["per_s"] for one in rounds),
        "view_p50_ms": statistics.median(one["p50_ms"] for one in rounds),
        "view_p95_ms": statistics.median(one["p95_ms"] for one in rounds),
        "view_p99_ms": max(one["p99_ms"] for one in rounds),
        "view_errors": sum(one["errors"] for one in rounds),
        "view_cpu_ms": 1000 * cpu / sum(one["requests"] for one in rounds),
        "worker_extra_mb": max(one.own for one in held),
        "worker_share_mb": max(one.share for one in held),
        "worker_resident_mb": max(one.resident for one in held),
        "snapshot_mb": max(one.snapshot for one in held),
        "helpers_mb": sum(servers.memory(helper).own for helper in server.helpers()),
    }


def peer(name: str, size: int) -> measure.Figures:
    """Measure a page of plain folium with the same points."""
    points = companies.draw_prospects(companies.mainland_zips(), size)
    with servers.serving_folium(name, points) as (address, made), pages.chromium() as browser:
        figures = pages.look(browser, pages.Target(address))
    return {"n": size, **made, **figures, "load_average": os.getloadavg()[0]}


def bars(figures: dict[str, measure.Figures]) -> list[measure.Bar]:
    """Hold the largest sizes of ours against their bars."""
    made = []
    for row in (row for name, row in figures.items() if name.startswith(OURS)):
        if row["n"] == 1_000_000:
            most, least = BARS, AT_LEAST
        elif row["n"] == MOST:
            most, least = BARS_OF_MOST, {}
        else:
            continue
        made += [
            measure.Bar(f"{row['n']:,}: {key}", row[key], at_most=end) for key, end in most.items()
        ]
        made += [
            measure.Bar(f"{row['n']:,}: {key}", row[key], at_least=end)
            for key, end in least.items()
        ]
    return made


def prepared(folder: Path, size: int) -> Company:
    """Open the company of that size, or make it where it is not there yet."""
    told = folder / f"{size}" / "company.json"
    if told.is_file():
        return companies.Company(told.parent, **json.loads(told.read_text()))
    print(f"making {size:,} prospects", file=sys.stderr, flush=True)
    make = companies.make_most if size == MOST else companies.make
    made = make(told.parent, size, datetime.now(UTC))
    told.write_text(
        json.dumps(
            {
                "prospects": made.prospects,
                "import_s": made.import_s,
                "assign_s": made.assign_s,
            }
        )
    )
    return made


def measure_all(options: argparse.Namespace, folder: Path) -> dict[str, measure.Figures]:
    sizes = sorted(int(size) for size in options.n.split(","))
    if options.ten_million:
        sizes.append(MOST)
    for size in sizes:
        prepared(folder, size)
    names = [f"{OURS}, {size}" for size in sizes]
    if not options.no_peers:
        names += [
            f"{name}, {size}" for size in sizes if size < MOST for name in servers.FOLIUM_PAGES
        ]
    return measure.interleave(__file__, names, ["--folder", str(folder)], options.repeat)


def print_json(figures: dict[str, measure.Figures]) -> None:
    """Print the figures that the bars are about on top: of the largest size up to a million."""
    rows = [row for name, row in figures.items() if name.startswith(OURS) and row["n"] < MOST]
    top = max(rows, key=lambda row: row["n"])
    bars_told = [{**vars(bar), "met": bar.met} for bar in bars(figures)]
    told = {key: top[key] for key in ASKED}
    print(json.dumps({**told, "asked_by": load.tool(), "contenders": figures, "bars": bars_told}))


def main() -> None:
    parser = measure.parser(__doc__)
    parser.set_defaults(repeat=1)
    parser.add_argument("--n", default=SIZES, help="numbers of prospects, by comma")
    parser.add_argument("--ten-million", action="store_true", help="and ten million")
    parser.add_argument("--folder", type=Path, help="keep the stores there for another run")
    parser.add_argument("--no-peers", action="store_true", help="leave plain folium out")
    options = parser.parse_args()
    if options.contender:
        name, size = options.contender.split(", ")
        if name == OURS:
            measure.hand_over(ours(prepared(options.folder, int(size))))
        else:
            measure.hand_over(peer(name, int(size)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        figures = measure_all(options, options.folder or Path(scratch))
    if options.json:
        print_json(figures)
        return
    print(f"/view.json is asked by {load.tool()}")
    columns = {name: {key: row.get(key) for key in row} for name, row in figures.items()}
    told = {key: {name: row.get(key) for name, row in columns.items()} for key in keys(figures)}
    measure.report(told, bars(figures), options)


def keys(figures: dict[str, measure.Figures]) -> list[str]:
    """Give every figure that any has, in order."""
    return list(dict.fromkeys(key for row in figures.values() for key in row))


if __name__ == "__main__":
    main()
