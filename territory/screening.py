"""The engine of ``territory screen``: nearest office and verdict for every row of a file.

It needs no store. The rows, their order and their columns come back as they were, with columns
added. A Parquet file goes through in batches, so memory does not grow with its length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from territory import reference, tables
from territory.cleaning import clean_names, parse_degrees
from territory.coordinates import ELSEWHERE_STATES, faults, suspects
from territory.delimited import read_chunks
from territory.errors import ColumnError, CoordinateError, FileFormatError, InputError
from territory.gazetteer import Gazetteer
from territory.geocoding import place
from territory.geodesy import OfficeIndex, verdicts
from territory.geofiles import arrow_text, geometry_column, read_points
from territory.headers import map_headers
from territory.intake import clean_address, take_in
from territory.lengths import METRES_PER_MILE
from territory.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy.typing as npt

ADDED = (
    "nearest_office_id",
    "distance_mi",
    "within_radius",
    "offices_within",
    "uncertainty_mi",
    "verdict",
    "screen_note",
)
ADDED_TO_PAIRS = ("office_id", "distance_mi", "uncertainty_mi", "verdict")
BATCH_ROWS = 250_000
_ADDRESS = ("city", "state", "postal_code", "country")
_WKB_POINT_BYTES = 21
_SHOWN = 5


@dataclass
class ScreenReport:
    """What became of the rows: ``rows`` = ``placed`` + ``not_placed``.

    ``within``, ``too_close`` and ``out`` add up to ``placed``; ``within`` counts the verdict "in".
    ``pairs`` is the number of rows written where all pairs were asked for.
    """

    rows: int = 0
    placed: int = 0
    within: int = 0
    too_close: int = 0
    out: int = 0
    pairs: int | None = None

    @property
    def not_placed(self) -> int:
        """Rows without a location; their ``screen_note`` says why."""
        return self.rows - self.placed

    @property
    def sentence(self) -> str:
        """The report in one line."""
        told = (
            f"{self.rows:,} rows read, {self.placed:,} placed, {self.not_placed:,} not placed: "
            f"{self.within:,} in, {self.out:,} out, {self.too_close:,} too close to call."
        )
        return told if self.pairs is None else f"{told} {self.pairs:,} pairs within the radius."

    def as_json(self) -> dict[str, Any]:
        """The report for a program to read."""
        counts = {
            "rows": self.rows,
            "placed": self.placed,
            "not_placed": self.not_placed,
            "in": self.within,
            "out": self.out,
            "too_close_to_call": self.too_close,
        }
        return counts if self.pairs is None else {**counts, "pairs": self.pairs}

    def count(self, verdict: npt.NDArray[np.object_]) -> None:
        """Add the verdicts of some rows."""
        self.rows += len(verdict)
        self.within += int((verdict == "in").sum())
        self.out += int((verdict == "out").sum())
        self.too_close += int((verdict == "too_close_to_call").sum())
        self.placed = self.within + self.out + self.too_close


@dataclass(frozen=True)
class _Points:
    """Where the rows are: NaN where nobody knows, and then ``note`` says why."""

    lon: npt.NDArray[np.float64]
    lat: npt.NDArray[np.float64]
    uncertainty_m: npt.NDArray[np.float64]
    note: npt.NDArray[np.object_] | None


def screen(
    source: Path,
    target: Path,
    offices_path: Path,
    radius_m: float,
    *,
    all_pairs: bool = False,
    progress: Callable[[int], None] | None = None,
) -> ScreenReport:
    """Add the nearest office and the verdict to every row of ``source`` and write ``target``.

    Coordinates are used where a row has them and are taken as exact; other rows are placed by
    their address in the offline gazetteer and carry its uncertainty. Every office of the file
    counts, whatever its dates.

    Parameters
    ----------
    source, target
        Any format that ``tables`` reads and writes. Nothing is left at ``target`` after an error.
    offices_path
        A file of offices; each needs ``lat`` and ``lon``.
    radius_m
        Metres.
    all_pairs
        Write one row per row of ``source`` and office within the radius instead; a row with no
        office near is left out.
    progress
        Is told the rows done so far.

    Returns
    -------
    report
        The counts. ``target`` has the columns of ``source`` and then those of ``ADDED``
        (``ADDED_TO_PAIRS`` for pairs): ``distance_mi`` unrounded, ``within_radius`` for the
        location itself, ``verdict`` with its uncertainty counted in.

    Raises
    ------
    FileFormatError
        If a file cannot be read or written.
    ColumnError
        If there is neither a coordinate nor an address column, or a column to be added is there.
    CoordinateError
        If coordinates are off the globe or swapped.
    """
    tables.check_readable(source)
    tables.check_writable(target)
    run = _Run(_offices(offices_path), radius_m, all_pairs, progress, source.name)
    is_parquet = tables.format_of(source) == tables.format_of(target) == "parquet"
    with tables.replacing(target) as temporary:
        if is_parquet:
            run.stream_parquet(source, temporary)
        elif {tables.format_of(source), tables.format_of(target)} == {"csv"}:
            for number, chunk in enumerate(_text_chunks(source)):
                tables.write_csv(run.frame(chunk), temporary, append=number > 0)
        else:
            tables.write_table(run.frame(tables.read_table(source).frame), temporary)
    return run.report


def _offices(path: Path) -> OfficeIndex:
    taken = take_in("offices", tables.read_table(path))
    if len(taken.refused):
        line, reason, remedy = taken.refused[["line", "reason", "remedy"]].iloc[0]
        raise InputError(
            f"{path}: {len(taken.refused):,} offices cannot be used; line {line}: {reason}. "
            f"{remedy}"
        )
    try:
        return OfficeIndex.from_frame(taken.rows)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _text_chunks(path: Path) -> Iterator[pd.DataFrame]:
    """The rows of a delimited file; one that does not fit under the header stops it all."""
    for chunk in read_chunks(path, BATCH_ROWS):
        if len(chunk.refused):
            line, reason, remedy = chunk.refused.iloc[0][["line", "reason", "remedy"]]
            raise FileFormatError(f"{path}: line {line}: {reason}. {remedy}")
        yield chunk.frame


class _Run:
    """One screening: what stays the same from batch to batch, and the counts."""

    def __init__(
        self,
        offices: OfficeIndex,
        radius_m: float,
        all_pairs: bool,
        progress: Callable[[int], None] | None,
        name: str,
    ) -> None:
        self._offices = offices
        self._radius_m = radius_m
        self._all_pairs = all_pairs
        self._progress = progress
        self._name = name
        self._policy = Policy()
        self._gazetteer = Gazetteer(reference.load(), self._policy.geocoding)
        self._labels = pa.array(offices.office_id.astype(str))
        self.report = ScreenReport(pairs=0 if all_pairs else None)

    def frame(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Screen rows of text."""
        self._check_columns(list(rows.columns))
        row, added = self._screen(self._points_of_text(rows))
        answered = pd.DataFrame({name: _pandas(column) for name, column in added.items()})
        kept = rows if row is None else rows.iloc[row]
        return pd.concat([kept.reset_index(drop=True), answered], axis=1)

    def stream_parquet(self, source: Path, target: Path) -> None:
        """Screen a Parquet file batch by batch."""
        try:
            self._stream_parquet(source, target)
        except (OSError, pa.ArrowException) as error:
            raise FileFormatError(f"{source}: not readable as parquet ({error}).") from error

    def _stream_parquet(self, source: Path, target: Path) -> None:
        file = pq.ParquetFile(source)
        schema = file.schema_arrow
        geometry = geometry_column(schema)
        self._check_columns(schema.names, has_points=geometry is not None)
        writer = None
        try:
            for batch in file.iter_batches(BATCH_ROWS):
                rows = pa.Table.from_batches([batch])
                row, added = self._screen(self._points_of_table(rows, geometry))
                written = rows if row is None else rows.take(pa.array(row))
                for name, column in added.items():
                    written = written.append_column(name, column)
                if writer is None:
                    kept = written.schema.with_metadata(schema.metadata)
                    writer = pq.ParquetWriter(target, kept, compression="zstd", compression_level=1)
                writer.write_table(written.replace_schema_metadata(schema.metadata))
            if writer is None:
                empty = schema.empty_table().to_pandas().assign(**dict.fromkeys(ADDED))
                empty.to_parquet(target, index=False)
        finally:
            if writer is not None:
                writer.close()
            file.close()

    def _check_columns(self, columns: list[str], *, has_points: bool = False) -> None:
        added = ADDED_TO_PAIRS if self._all_pairs else ADDED
        clash = [name for name in added if name in columns]
        if clash:
            raise ColumnError(
                f"{self._name}: has columns that would be added: {', '.join(map(repr, clash))}. "
                "Rename or drop them."
            )
        mapped = set(map_headers(columns, "prospects").values())
        if not (has_points or {"lat", "lon"} <= mapped or {"postal_code", "city"} & mapped):
            raise ColumnError(
                f"{self._name}: no column says where a row is; the file has "
                f"{', '.join(map(repr, columns))}. Name two of them lat and lon, or one "
                "postal_code or city."
            )

    def _points_of_table(self, rows: pa.Table, geometry: tuple[str, Any] | None) -> _Points:
        """Take numeric coordinates as they stand; go by text only for what lacks them."""
        mapping = {ours: theirs for theirs, ours in map_headers(rows.schema.names, "sites").items()}
        if {"lat", "lon"} <= mapping.keys():
            lon, lat = (rows[mapping[name]] for name in ("lon", "lat"))
            if not all(pa.types.is_floating(column.type) for column in (lon, lat)):
                return self._points_of_text(_text_of(rows, geometry))
            x, y = (_floats(column) for column in (lon, lat))
        elif geometry is not None:
            x, y = _wkb_points(rows[geometry[0]], geometry[1])
        else:
            return self._points_of_text(_text_of(rows, geometry))
        if (
            np.isnan(x).any()
            or np.isnan(y).any()
            or suspects(x, y).any()
            or ((x == 0) & (y == 0)).any()
        ):
            text = {
                name: pd.Series(
                    arrow_text(rows[mapping[name]]).to_pandas().to_numpy(), dtype=object
                )
                for name in _ADDRESS
                if name in mapping
            }
            frame = pd.DataFrame(text, index=pd.RangeIndex(rows.num_rows))
            return self._points(frame, x.copy(), y.copy())
        return _Points(x, y, np.zeros(len(x)), None)

    def _points_of_text(self, rows: pd.DataFrame) -> _Points:
        mapping = {ours: theirs for theirs, ours in map_headers(rows.columns, "prospects").items()}
        address = {name: rows[mapping[name]] for name in _ADDRESS if name in mapping}
        frame = pd.DataFrame(address, index=rows.index).reset_index(drop=True)
        lon, lat = (
            parse_degrees(rows[mapping[name]]).to_numpy(float, copy=True)
            if name in mapping
            else np.full(len(rows), np.nan)
            for name in ("lon", "lat")
        )
        return self._points(frame, lon, lat)

    def _points(
        self, address: pd.DataFrame, lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]
    ) -> _Points:
        """Check the coordinates given, and place the rows without them by their address."""
        frame = pd.DataFrame(
            {
                name: clean_names(address[name])
                if name in address
                else pd.Series(None, index=address.index, dtype=object)
                for name in _ADDRESS
            }
        )
        frame["country"], frame["state"], frame["postal_code"] = clean_address(
            frame["country"], frame["state"], frame["postal_code"]
        )
        nobody = np.isnan(lon) | np.isnan(lat) | ((lon == 0) & (lat == 0))
        lon[nobody] = lat[nobody] = np.nan
        at_home = (frame["country"] == "US") & ~frame["state"].isin(ELSEWHERE_STATES)
        self._refuse(*faults(lon, lat, at_home.to_numpy(bool), with_antarctica=True))
        placed = place(frame.assign(lon=lon, lat=lat), self._gazetteer, self._policy)
        return _Points(
            placed["lon"].to_numpy(float),
            placed["lat"].to_numpy(float),
            placed["uncertainty_m"].to_numpy(float),
            placed["geocode_note"].to_numpy(object),
        )

    def _refuse(self, reason: npt.NDArray[np.object_], remedy: npt.NDArray[np.object_]) -> None:
        wrong = np.flatnonzero(pd.notna(reason))
        if not len(wrong):
            return
        told = "; ".join(f"row {self.report.rows + at + 1}: {reason[at]}" for at in wrong[:_SHOWN])
        more = f" and {len(wrong) - _SHOWN:,} more" if len(wrong) > _SHOWN else ""
        raise CoordinateError(
            f"{self._name}: {told}{more}. {remedy[wrong[0]]} Nothing was written."
        )

    def _screen(self, points: _Points) -> tuple[npt.NDArray[np.intp] | None, dict[str, pa.Array]]:
        """Answer one batch: which rows of it are written, and the columns that are added."""
        is_placed = ~np.isnan(points.lon)
        row = None if is_placed.all() else np.flatnonzero(is_placed)
        lon, lat = (points.lon, points.lat) if row is None else (points.lon[row], points.lat[row])
        near = self._offices.nearest(lon, lat, self._radius_m, count=not self._all_pairs)
        distance_m = _spread(near.distance_m, row, len(points.lon), np.nan)
        verdict = verdicts(distance_m, points.uncertainty_m, self._radius_m)
        self.report.count(verdict)
        if self._progress:
            self._progress(self.report.rows)
        if self._all_pairs:
            return self._pairs(points, lon, lat, row)
        office = _spread(near.office, row, len(points.lon), -1)
        within = _spread(near.within, row, len(points.lon), fill=False)
        count = near.offices_within
        offices_within = _spread(count, row, len(points.lon), 0) if count is not None else None
        blank = ~is_placed
        note = np.full(len(points.lon), None, object) if points.note is None else points.note
        columns = (
            self._labels.take(pa.array(office, mask=blank)),
            pa.array(distance_m / METRES_PER_MILE, mask=blank),
            pa.array(within, mask=blank),
            pa.array(offices_within, mask=blank),
            pa.array(points.uncertainty_m / METRES_PER_MILE, mask=blank),
            pa.array(verdict, pa.string()),
            pa.array(note, pa.string()),
        )
        return None, dict(zip(ADDED, columns, strict=True))

    def _pairs(
        self,
        points: _Points,
        lon: npt.NDArray[np.float64],
        lat: npt.NDArray[np.float64],
        row: npt.NDArray[np.intp] | None,
    ) -> tuple[npt.NDArray[np.intp], dict[str, pa.Array]]:
        """One row for every office within the radius."""
        point, office, distance_m = self._offices.pairs_within(lon, lat, self._radius_m)
        at = point if row is None else row[point]
        uncertainty_m = points.uncertainty_m[at]
        self.report.pairs = (self.report.pairs or 0) + len(at)
        columns = (
            self._labels.take(pa.array(office)),
            pa.array(distance_m / METRES_PER_MILE),
            pa.array(uncertainty_m / METRES_PER_MILE),
            pa.array(verdicts(distance_m, uncertainty_m, self._radius_m), pa.string()),
        )
        return at, dict(zip(ADDED_TO_PAIRS, columns, strict=True))


def _spread(values: Any, row: npt.NDArray[np.intp] | None, size: int, fill: Any) -> Any:
    """Put the answers of some rows back among all rows."""
    if row is None:
        return values
    whole = np.full(size, fill, values.dtype)
    whole[row] = values
    return whole


def _floats(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    values: npt.NDArray[np.float64] = column.to_numpy().astype(float)
    return values


def _text_of(rows: pa.Table, geometry: tuple[str, Any] | None) -> pd.DataFrame:
    kept = [name for name in rows.column_names if geometry is None or name != geometry[0]]
    return pd.DataFrame({name: arrow_text(rows[name]).to_pandas() for name in kept}, dtype=object)


def _wkb_points(column: pa.ChunkedArray, crs: Any) -> tuple[Any, Any]:
    """Coordinates of WKB points, by a view of the bytes where all are plain little-endian ones."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks)
    rows = len(array)
    if array.null_count == 0 and pa.types.is_binary(array.type) and rows:
        _, offsets, data = array.buffers()
        at = np.frombuffer(offsets, np.int32)[array.offset : array.offset + rows + 1]
        if at[-1] - at[0] == rows * _WKB_POINT_BYTES and (np.diff(at) == _WKB_POINT_BYTES).all():
            cells = np.frombuffer(data, np.uint8)[at[0] : at[-1]].reshape(rows, _WKB_POINT_BYTES)
            if (cells[:, :5] == (1, 1, 0, 0, 0)).all():
                xy = cells[:, 5:].copy().view("<f8")
                if crs in (None, "OGC:CRS84"):
                    return xy[:, 0].copy(), xy[:, 1].copy()
    return read_points(array.to_numpy(zero_copy_only=False), crs)


def _pandas(column: pa.Array) -> pd.Series:
    """A column for a text format: whole numbers and truth values keep their form beside blanks."""
    if pa.types.is_boolean(column.type) or pa.types.is_integer(column.type):
        return pd.Series(column.to_pylist(), dtype=object)
    values: pd.Series = column.to_pandas()
    return values
