"""Hostile and broken files: a sentence, quickly, in bounded memory; what is good in them is read.

All of them are read by one other process that may not take more memory than ``LIMIT_MB``, so that a
bomb that goes off is a failed test and not a dead machine.
"""

from __future__ import annotations

import contextlib
import gzip
import http.server
import json
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyogrio
import pytest

from territory.errors import FileFormatError
from territory.files import read_polygons, read_table, write_table
from tests.fixtures.hostile_tables import (
    KML,
    READ,
    REFUSED,
    ROWS,
    SPOT,
    archive,
    shapefile,
    unpacked,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECONDS, EXTRA_MB, LIMIT_MB = 2.0, 300, 4_000
READER = """
import json, resource, sys, time
from pathlib import Path
from territory.errors import InputError
from territory.files import read_table, write_table

def memory_mb(key):
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith(key))
    return int(line.split()[1]) / 1024

limit = int(sys.argv[2]) << 20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
told = {}
for path in sorted(Path(sys.argv[1]).iterdir()):
    before = memory_mb("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    start = time.process_time()
    try:
        table = read_table(path)
        frame = table.frame.astype(object).where(table.frame.notna(), None)
        found = {"rows": frame.to_numpy().tolist(), "refused": table.refused["line"].tolist()}
        found["reasons"] = table.refused["reason"].tolist()
        del table, frame
    except InputError as error:
        found = {"error": str(error)}
    found |= {"s": time.process_time() - start, "extra_mb": memory_mb("VmHWM") - before}
    told[path.name] = found
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What became of each file."""
    folder, work = tmp_path_factory.mktemp("files"), tmp_path_factory.mktemp("work")
    for name, (make, *_) in {**REFUSED, **READ}.items():
        (folder / name).write_bytes(make(work / name))
    (folder / "folder.csv").mkdir()
    with (folder / "sparse.csv").open("wb") as file:
        file.truncate(2 << 30)
    command = [sys.executable, "-W", "error", "-c", READER, str(folder), str(LIMIT_MB)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("name", [*REFUSED, "folder.csv", "sparse.csv"])
def test_a_file_that_is_of_no_use_gets_one_sentence(
    read: dict[str, dict[str, Any]], name: str
) -> None:
    more = {"folder.csv": "this is a folder", "sparse.csv": "2.0 GB, more than the 1.0 GB"}
    told = read[name].get("error", "it was read")
    assert (more.get(name) or REFUSED[name][1]) in told
    assert name in told
    assert "\n" not in told
    assert told.endswith(".")


@pytest.mark.parametrize("name", READ)
def test_what_is_good_in_a_file_is_read_and_the_rest_is_refused_by_line(
    read: dict[str, dict[str, Any]], name: str
) -> None:
    _, rows, refused = READ[name]
    assert read[name].get("error") is None
    assert read[name]["rows"] == rows
    assert read[name]["refused"] == refused
    assert len(read[name]["reasons"]) == len(refused)


def test_none_of_them_takes_long_or_much_memory(read: dict[str, dict[str, Any]]) -> None:
    slow = {name: told["s"] for name, told in read.items() if told["s"] > SECONDS}
    large = {name: told["extra_mb"] for name, told in read.items() if told["extra_mb"] > EXTRA_MB}
    assert not slow
    assert not large


class _Listener(http.server.BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_error(404)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """A web server on this machine, and what it was asked for."""
    asked: list[str] = []
    handler = type("Listener", (_Listener,), {"asked": asked})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


# What GDAL, left to itself, follows: other files of this machine, and other hosts.
ELSEWHERE = {
    "layer.geojson": "<OGRVRTDataSource><OGRVRTLayer name='x'>"
    "<SrcDataSource>{secret}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>",
    "layer.kml": "<kml/><OGRVRTDataSource><OGRVRTLayer name='x'>"
    "<SrcDataSource>{secret}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>",
    "host.kml": "<?xml version='1.0'?><OGRVRTDataSource><OGRVRTLayer name='x'>"
    "<SrcDataSource>/vsicurl/{url}/a.csv</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>",
    "steps.geojson": '{"type": "gdal_streamed_alg", "command_line": '
    '"gdal vector pipeline ! read {secret}"}',
    "host.json": '{"type": "gdal_streamed_alg", "command_line": '
    '"gdal vector pipeline ! read /vsicurl/{url}/a.csv"}',
    "link.geojson": '{"type": "FeatureCollection", "crs": {"type": "link", "properties": '
    '{"href": "{url}/crs", "type": "proj4"}}, "features": []}',
    "hidden.geojson": '{"type": "FeatureCollection", "\\u0063R\\u0073" : {"properties": '
    '{"url": "{url}/crs"}, "TYPE": "URL"}, "features": []}',
    "service.kml": "<OGRWFSDataSource><URL>{url}/wfs</URL></OGRWFSDataSource>",
    "schema.kml": "<?xml version='1.0'?><f:c xmlns:f='x' xmlns:gml='http://www.opengis.net/gml' "
    "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:schemaLocation='x {url}/s.xsd'/>",
}


@pytest.mark.parametrize("reader", [read_table, read_polygons])
@pytest.mark.parametrize("name", ELSEWHERE)
def test_no_file_makes_its_reader_look_elsewhere(
    tmp_path: Path, listener: tuple[str, list[str]], name: str, reader: Callable[[Path], object]
) -> None:
    url, asked = listener
    (tmp_path / "secret.csv").write_text("name\nthe secret\n")
    content = ELSEWHERE[name].replace("{url}", url)
    (tmp_path / name).write_text(content.replace("{secret}", str(tmp_path / "secret.csv")))
    with pytest.raises(FileFormatError) as caught:
        reader(tmp_path / name)
    assert asked == []
    assert "the secret" not in str(caught.value)


def test_the_links_that_are_refused_would_have_been_followed(
    tmp_path: Path, listener: tuple[str, list[str]]
) -> None:
    url, asked = listener
    (tmp_path / "a.geojson").write_text(ELSEWHERE["link.geojson"].replace("{url}", url))
    pyogrio.read_info(tmp_path / "a.geojson")
    assert asked  # otherwise the test before this one proves nothing


def whole_files(folder: Path) -> dict[str, bytes]:
    frame = pd.DataFrame({"name": ["a", "b"], "lon": ["1", "2"], "lat": ["3", "4"]})
    for suffix in ("xlsx", "geojson", "gpkg", "parquet"):
        write_table(frame, folder / f"t.{suffix}")
    made = {f"t.{s}": (folder / f"t.{s}").read_bytes() for s in ("geojson", "gpkg", "parquet")}
    made |= {"t.zip": shapefile(folder / "shape"), "t.kml": KML.format(SPOT.format("a")).encode()}
    return made | {"t.csv": 'a,b\n1,"x, ü"\n'.encode(), "t.csv.gz": gzip.compress(ROWS)}


@pytest.mark.parametrize(
    "name", ["t.csv", "t.csv.gz", "t.xlsx", "t.geojson", "t.gpkg", "t.parquet", "t.zip", "t.kml"]
)
def test_a_damaged_file_is_read_or_refused_and_nothing_else(tmp_path: Path, name: str) -> None:
    files = whole_files(tmp_path)
    parts = unpacked((tmp_path / "t.xlsx").read_bytes()) if name == "t.xlsx" else {"": files[name]}
    random = np.random.default_rng(7)
    for _ in range(60):
        part = str(random.choice(sorted(parts)))
        broken = bytearray(parts[part])
        for at in random.integers(0, len(broken), 3):
            broken[at] = random.choice([0, 34, 44, 48, 57, 60, 255])
        if random.random() < 0.3:
            del broken[int(random.integers(0, len(broken))) :]
        whole = archive({**parts, part: bytes(broken)}) if part else bytes(broken)
        (tmp_path / name).write_bytes(whole)
        with contextlib.suppress(FileFormatError):
            table = read_table(tmp_path / name)
            assert len(table.lines) == len(table.frame)
