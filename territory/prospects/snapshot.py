"""Snapshot: a plan's prospects as sorted columns in memory-mapped files.

Rows are sorted along a Morton curve over the square of Web Mercator, so that a cell of any zoom is
one run of rows; prospects without a location stand at the end. Whoever opens a snapshot maps the
same files, so that worker processes share one copy of it in memory.
"""

from __future__ import annotations

import json
import mmap
import shutil
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from territory.errors import InputError
from territory.prospects.fields import CHOICES, FLAGS, NUMBERS, ORDERS, SEARCHED, TEXTS
from territory.prospects.word_search import WordIndex

if TYPE_CHECKING:
    import numpy.typing as npt

BITS = 26  # of each axis of the Morton key: cells of 0.6 m at the equator
MAX_LAT = 85.0511287798066  # where the square of Web Mercator ends
NOWHERE = np.uint64(2**64 - 1)  # the key of a prospect without a location
NULL = 0  # the code of a choice that is not known; the others are 1 and up

NEVER = -(2**31)  # the day of a prospect that nobody ever touched
_META = "snapshot.json"


@dataclass(frozen=True)
class Texts:
    """A column of texts in one piece of UTF-8; "" for none."""

    starts: npt.NDArray[np.int64]
    utf8: npt.NDArray[np.uint8]

    def __getitem__(self, row: int) -> str:
        """Give the text of a row."""
        return self.utf8[self.starts[row] : self.starts[row + 1]].tobytes().decode()

    def take(self, rows: npt.NDArray[np.integer]) -> list[str]:
        """Give the texts of some rows."""
        utf8, starts, ends = self.utf8.data, self.starts[rows], self.starts[rows + 1]
        return [
            str(utf8[start:end], "utf-8")
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
        ]


@dataclass(frozen=True)
class Snapshot:
    """The columns of a plan's prospects, row by row in Morton order.

    ``key`` is the Morton key (``NOWHERE`` without a location, those rows last), ``placed`` how many
    rows have a location. ``column`` holds lon and lat (float64, degrees), the codes of ``CHOICES``
    (``NULL`` or 1 and up, by ``labels``), ``NUMBERS`` (float32, NaN unknown), ``touched`` (days
    since 1970, the smallest int32 for never) and ``FLAGS`` (bool). ``order`` holds for each of
    ``ORDERS`` the rows in that order, what is not known last.
    """

    stamp: str
    size: int
    placed: int
    key: npt.NDArray[np.uint64]
    column: dict[str, npt.NDArray[Any]]
    labels: dict[str, tuple[str, ...]]
    texts: dict[str, Texts]
    order: dict[str, npt.NDArray[np.int32]]
    words: WordIndex
    by_id: npt.NDArray[np.int32]  # rows in the order of their prospect_id

    def codes(self, name: str, values: tuple[str | None, ...]) -> npt.NDArray[np.int64]:
        """Give the codes of some values of a choice; a value that never occurs has none."""
        code_of = {label: code for code, label in enumerate(self.labels[name], 1)}
        return np.array(
            [NULL if value is None else code_of[value] for value in values
             if value is None or value in code_of], np.int64,
        )  # fmt: skip

    def row_of(self, prospect_id: str) -> int | None:
        """Find a prospect; None where the plan has no such one."""
        low, high = 0, self.size
        while low < high:
            middle = (low + high) // 2
            if self.texts["prospect_id"][int(self.by_id[middle])] < prospect_id:
                low = middle + 1
            else:
                high = middle
        if low == self.size:
            return None
        row = int(self.by_id[low])
        return row if self.texts["prospect_id"][row] == prospect_id else None


def mercator(
    lon: npt.ArrayLike, lat: npt.ArrayLike
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Project degrees onto the unit square of Web Mercator, north at y = 0."""
    sine = np.sin(np.radians(np.clip(lat, -MAX_LAT, MAX_LAT)))
    x = np.asarray(lon, float) / 360 + 0.5
    return x, 0.5 - np.log((1 + sine) / (1 - sine)) / (4 * np.pi)


def unproject(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Turn ``mercator`` round: degrees of points of the unit square."""
    return (x - 0.5) * 360, np.degrees(2 * np.arctan(np.exp(np.pi * (1 - 2 * y))) - np.pi / 2)


def morton(x: npt.NDArray[Any], y: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """Weave the bits of two whole numbers below 2**32 into one key."""
    return _spread(x) | (_spread(y) << np.uint64(1))


def _spread(values: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    # Each step halves the groups of bits and moves the upper half of each up by its own width,
    # until every bit has a free one above it (Anderson, "Bit Twiddling Hacks").
    spread = values.astype(np.uint64)
    for shift, mask in (
        (16, 0x0000FFFF0000FFFF),
        (8, 0x00FF00FF00FF00FF),
        (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333),
        (1, 0x5555555555555555),
    ):
        spread = (spread | (spread << np.uint64(shift))) & np.uint64(mask)
    return spread


def keys(lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]) -> npt.NDArray[np.uint64]:
    """Give the Morton key of each point; ``NOWHERE`` where it is NaN."""
    nowhere = np.isnan(lon) | np.isnan(lat)
    x, y = mercator(np.where(nowhere, 0.0, lon), np.where(nowhere, 0.0, lat))
    most = 2**BITS - 1
    codes = morton(*(np.clip(axis * 2**BITS, 0, most).astype(np.uint64) for axis in (x, y)))
    return np.where(nowhere, NOWHERE, codes)


def build(prospects: pd.DataFrame, stamp: str) -> Snapshot:
    """Sort and code the prospects of a plan.

    Parameters
    ----------
    prospects
        ``fields.SNAPSHOT_COLUMNS``: one row per prospect, texts null where not known, lon and lat
        in WGS84 degrees, last_activity_on an ISO day.
    stamp
        Says which state of the store this is.
    """
    lon, lat = (prospects[name].to_numpy(float, na_value=np.nan) for name in ("lon", "lat"))
    key = keys(lon, lat)
    rank = np.empty(len(prospects), np.int64)
    ids = pa.array(prospects["prospect_id"], pa.large_string())
    rank[pc.sort_indices(ids).to_numpy()] = np.arange(len(ids))  # by UTF-8, as by code point
    along = np.lexsort(
        (rank, key)
    )  # by key; prospects at one point by id, so that ties are decided
    rows = prospects.iloc[along].reset_index(drop=True)
    column: dict[str, npt.NDArray[Any]] = {"lon": lon[along], "lat": lat[along]}
    labels = {}
    for name in CHOICES:
        column[name], labels[name] = _code(rows[name])
    for name in NUMBERS:
        column[name] = rows[name].to_numpy(np.float32, na_value=np.nan)
    column["touched"] = _days(rows["last_activity_on"])
    for name in FLAGS:
        column[name] = rows[name].to_numpy(bool)
    by_id = np.argsort(rank[along], kind="stable").astype(np.int32)
    ranks = {**column, "name": _name_ranks(rows["name"])}
    return Snapshot(
        stamp=stamp,
        size=len(rows),
        placed=int((key != NOWHERE).sum()),
        key=key[along],
        column=column,
        labels=labels,
        texts={name: _texts(rows[name]) for name in TEXTS},
        order={
            name: _ordered(ranks[order.column], by_id, largest_first=order.is_largest_first)
            for name, order in ORDERS.items()
        },
        words=WordIndex.of([rows[name] for name in SEARCHED]),
        by_id=by_id,
    )


def _code(column: pd.Series) -> tuple[npt.NDArray[Any], tuple[str, ...]]:
    code, labels = pd.factorize(column, sort=True)
    width = np.uint8 if len(labels) < 2**8 else np.uint16 if len(labels) < 2**16 else np.uint32
    return (code + 1).astype(width), tuple(map(str, labels))


def _days(column: pd.Series) -> npt.NDArray[np.int32]:
    days = column.to_numpy("datetime64[D]")
    return np.where(np.isnat(days), NEVER, days.astype(np.int64)).astype(np.int32)


def _name_ranks(names: pd.Series) -> npt.NDArray[np.int64]:
    """Number the names as people order them, whatever their case."""
    return pd.factorize(names.str.casefold(), sort=True)[0]


def _ordered(
    values: npt.NDArray[Any], by_id: npt.NDArray[np.int32], *, largest_first: bool
) -> npt.NDArray[np.int32]:
    """Order the rows by their values, NaN last, then by id."""
    # Sorted stably from the order by id on, rows with the same value stay in that order.
    by_value = values[by_id].astype(float)
    ranked = np.argsort(-by_value if largest_first else by_value, kind="stable")
    return by_id[ranked].astype(np.int32)


def _texts(column: pd.Series) -> Texts:
    array = pa.array(column, pa.large_string(), from_pandas=True).fill_null("")
    _, starts, utf8 = array.buffers()
    return Texts(
        np.frombuffer(starts, np.int64)[: len(array) + 1],
        np.frombuffer(utf8, np.uint8) if utf8 else np.zeros(0, np.uint8),
    )


def _arrays(snapshot: Snapshot) -> dict[str, npt.NDArray[Any]]:
    arrays: dict[str, npt.NDArray[Any]] = {"key": snapshot.key, "by_id": snapshot.by_id}
    arrays |= {f"column-{name}": values for name, values in snapshot.column.items()}
    arrays |= {f"order-{name}": values for name, values in snapshot.order.items()}
    for name, texts in snapshot.texts.items():
        arrays |= {f"text-{name}": texts.utf8, f"starts-{name}": texts.starts}
    words = snapshot.words
    return arrays | {"words": words.words, "word-starts": words.starts, "word-rows": words.rows}


def save(snapshot: Snapshot, folder: Path) -> None:
    """Write a snapshot into a folder that is not there yet; it appears whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=folder.parent))
    try:
        for name, values in _arrays(snapshot).items():
            np.save(draft / f"{name}.npy", values)
        meta = {
            "stamp": snapshot.stamp,
            "size": snapshot.size,
            "placed": snapshot.placed,
            "labels": snapshot.labels,
            "checksums": {path.stem: _checksum(path) for path in sorted(draft.glob("*.npy"))},
        }
        text = json.dumps(meta)
        (draft / _META).write_text(f"{zlib.crc32(text.encode()):08x}\n{text}", "utf-8")
        draft.rename(folder)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        if not (folder / _META).is_file():  # else another process was faster
            raise


def load(folder: Path) -> Snapshot:
    """Open a snapshot: its files are mapped into memory, and held against their checksums.

    Raises
    ------
    InputError
        If there is no snapshot in the folder, or not the one that was saved.
    """
    try:
        told, _, text = (folder / _META).read_text("utf-8").partition("\n")
        if told != f"{zlib.crc32(text.encode()):08x}":
            raise ValueError(f"{_META} is not what was saved")  # noqa: TRY301
        meta = json.loads(text)
        for name, checksum in meta["checksums"].items():
            if _checksum(folder / f"{name}.npy") != checksum:
                raise ValueError(f"{name}.npy is not what was saved")  # noqa: TRY301
        arrays = {name: _map(folder / f"{name}.npy") for name in meta["checksums"]}
    except (OSError, ValueError) as error:
        raise InputError(
            f"{folder} holds no snapshot ({error}). Delete it; it is made anew."
        ) from error
    parted: dict[str, dict[str, npt.NDArray[Any]]] = {"column": {}, "order": {}}
    for name, values in arrays.items():
        group, _, rest = name.partition("-")
        if group in parted:
            parted[group][rest] = values
    return Snapshot(
        stamp=meta["stamp"],
        size=meta["size"],
        placed=meta["placed"],
        key=arrays["key"],
        column=parted["column"],
        labels={name: tuple(labels) for name, labels in meta["labels"].items()},
        texts={name: Texts(arrays[f"starts-{name}"], arrays[f"text-{name}"]) for name in TEXTS},
        order=parted["order"],
        words=WordIndex(arrays["words"], arrays["word-starts"], arrays["word-rows"]),
        by_id=arrays["by_id"],
    )


def _checksum(path: Path) -> int:
    """Give the CRC-32 of a file."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        return zlib.crc32(whole)


def _map(path: Path) -> npt.NDArray[Any]:
    mapped: npt.NDArray[Any] = np.load(path, mmap_mode="r")
    return np.asarray(mapped)  # a plain array over the same pages: slicing it costs less
