"""What every benchmark here measures, and how: CPU time and peak memory, in a fresh process.

A benchmark script names its contenders. Run plainly, it calls :func:`interleave`, which starts the
script again for one contender at a time (``--contender NAME``), round after round, so that other
load on the machine hits all of them alike. That child makes its data and warms up imports off the
clock, measures with :func:`cost_of` and hands its figures over with :func:`hand_over`::

    def main() -> None:
        options = measure.parser(__doc__).parse_args()
        if options.contender:
            data = make_data(options.n)
            answer, cost = measure.cost_of(lambda: CONTENDERS[options.contender](data))
            wrong = int((answer != truth).sum())
            measure.hand_over({**cost.per_point(options.n), "wrong": wrong})
            return
        names, arguments = list(CONTENDERS), ["--n", str(options.n)]
        figures = measure.interleave(__file__, names, arguments, options.repeat)
        ratio = figures["geopandas"]["cpu_us"] / figures["ours"]["cpu_us"]
        measure.report(figures, [measure.Bar("times geopandas", ratio, at_least=4)], options)

CPU time is that of the whole process, all threads added up. ``extra_mb`` is the highest resident
memory during the work less that before it; ``peak_mb`` is the highest in all.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Answer = TypeVar("Answer")
Figures = dict[str, Any]
_MARK = "figures: "
_STATUS = Path("/proc/self/status")
_MEASURED = ("cpu_us", "wall_us", "extra_mb", "peak_mb")  # noisy: the median of all rounds counts


@dataclass(frozen=True)
class Cost:
    """What one piece of work took: seconds of CPU and wall clock, MB of memory."""

    cpu_s: float
    wall_s: float
    extra_mb: float
    peak_mb: float

    def per_point(self, points: int) -> Figures:
        """Figures for a table: microseconds a point, and memory as it is."""
        return {
            "cpu_us": 1e6 * self.cpu_s / points,
            "wall_us": 1e6 * self.wall_s / points,
            "extra_mb": self.extra_mb,
            "peak_mb": self.peak_mb,
        }


@dataclass(frozen=True)
class Bar:
    """A bar that a measured value must reach (``at_least``) or stay under (``at_most``)."""

    what: str
    measured: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def met(self) -> bool:
        """Whether the value is on the right side; a value that could not be measured is not."""
        low = self.at_least is None or self.measured >= self.at_least
        return low and (self.at_most is None or self.measured <= self.at_most)


def cost_of(
    work: Callable[[], Answer], other_cpu: Callable[[], float] = lambda: 0.0
) -> tuple[Answer, Cost]:
    """Do ``work`` once and say what it cost; ``other_cpu`` counts seconds spent in a server."""
    gc.collect()
    before = _memory_mb("VmRSS")
    if _STATUS.exists():
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    cpu, wall = time.process_time() + other_cpu(), time.perf_counter()
    answer = work()
    wall_s = time.perf_counter() - wall
    cpu_s = time.process_time() + other_cpu() - cpu
    peak = _memory_mb("VmHWM")
    return answer, Cost(cpu_s, wall_s, peak - before, peak)


def _memory_mb(key: str) -> float:
    if _STATUS.exists():
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(key))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def parser(description: str | None) -> argparse.ArgumentParser:
    """The options every benchmark has: ``--repeat``, ``--json`` and the inner ``--contender``."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--repeat", type=int, default=3, help="rounds; medians are printed")
    made.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    made.add_argument("--contender", help=argparse.SUPPRESS)
    return made


def hand_over(figures: Figures) -> None:
    """Give the figures of a child to the process that started it."""
    print(_MARK + json.dumps(figures))


def interleave(
    script: str, contenders: Iterable[str], arguments: list[str], repeat: int
) -> dict[str, Figures]:
    """Run each contender in a fresh process, round after round; the median of what is noisy.

    A contender that fails is told on standard error and left out.
    """
    rounds: dict[str, list[Figures]] = {name: [] for name in contenders}
    failed = set()
    for turn in range(repeat):
        for name in [name for name in rounds if name not in failed]:
            print(f"round {turn + 1} of {repeat}: {name}", file=sys.stderr, flush=True)
            command = [sys.executable, script, *arguments, "--contender", name]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            lines = [line for line in done.stdout.splitlines() if line.startswith(_MARK)]
            if done.returncode or not lines:
                failed.add(name)
                reason = (done.stderr.strip().splitlines() or ["no figures"])[-1]
                print(f"left out {name}: {reason}", file=sys.stderr, flush=True)
                continue
            rounds[name].append(json.loads(lines[-1].removeprefix(_MARK)))
    return {
        name: runs[-1]
        | {key: statistics.median(run[key] for run in runs) for key in _MEASURED if key in runs[0]}
        for name, runs in rounds.items()
        if runs and name not in failed
    }


def report(
    figures: Mapping[str, Figures], bars: Iterable[Bar], options: argparse.Namespace
) -> None:
    """Print the figures of all contenders and the bars, as tables or as one JSON object."""
    bars = list(bars)
    if options.json:
        told = [{**vars(bar), "met": bar.met} for bar in bars]
        settings = {key: value for key, value in vars(options).items() if key != "contender"}
        print(
            json.dumps({"options": settings, "contenders": dict(figures), "bars": told}, indent=1)
        )
        return
    print(
        f"Python {platform.python_version()} on {platform.machine()}; medians of {options.repeat}"
    )
    table({name: dict(values) for name, values in figures.items()})
    for bar in bars:
        ends = (("at least", bar.at_least), ("at most", bar.at_most))
        wanted = ", ".join(f"{what} {end:g}" for what, end in ends if end is not None)
        print(f"{'met' if bar.met else 'NOT MET':8}{bar.what}: {bar.measured:.3g} ({wanted})")


def table(rows: Mapping[str, Figures]) -> None:
    """Print rows of figures under one heading; a row need not have every column."""
    columns = list(dict.fromkeys(key for row in rows.values() for key in row))
    lines = [["", *columns]]
    lines += [[name, *(_cell(row.get(column)) for column in columns)] for name, row in rows.items()]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for first, *rest in lines:
        told = [f"{text:>{width}}" for text, width in zip(rest, widths[1:], strict=True)]
        print("  ".join([f"{first:{widths[0]}}", *told]))


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
