"""Screening: the nearest office of every row of a file, streamed, with no store."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from territory import reference
from territory.batch import coordinates
from territory.batch.addresses import AddressReader
from territory.batch.origins import said_uncertainty
from territory.cleaning import (
    ANTARCTIC_LAT,
    ELSEWHERE_STATES,
    faults,
    in_united_states,
    join_notes,
    rounding_m,
    suspects,
)
from territory.errors import ColumnError, InputError
from territory.files import (
    Batch,
    Points,
    Source,
    check_writable,
    open_sink,
    open_source,
    read_table,
    replacing,
)
from territory.geocoding import Gazetteer
from territory.geodesy import OfficeIndex, verdicts
from territory.imports import LAT_LON, map_headers, read_rows
from territory.policy import GeocodingPolicy
from territory.schemas import VERDICTS
from territory.units_of_length import METRES_PER_MILE, format_miles

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

ADDED = (
    "nearest_office_id",
    "distance_mi",
    "within_radius",
    "offices_within",
    "uncertainty_mi",
    "verdict",
    "note",
)
ADDED_TO_PAIRS = ("office_id", "distance_mi", "uncertainty_mi", "verdict", "note")
_VERDICTS = pa.array(VERDICTS, pa.string())
_NULL_ISLAND = "coordinates 0, 0 mean that nobody knew: not used"


@dataclass(frozen=True)
class ScreenReport:
    """How many rows a file had and what became of them.

    ``rows`` = ``placed`` + ``not_placed``. ``within`` counts the rows whose point is within the
    radius, ``too_close`` those (with all pairs: the pairs) known too coarsely to say. ``written``
    differs from ``rows`` only where there is a row for each pair. ``columns`` names what was added:
    one that the file had already gets "_2" after its name, and the file's own stays as it was.
    """

    rows: int
    placed: int
    within: int
    too_close: int
    not_placed: int
    written: int
    offices: int
    radius_m: float
    columns: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The report in one line."""
        return (
            f"{self.rows:,} read, {self.placed:,} placed, {self.within:,} within "
            f"{format_miles(self.radius_m)} of one of {self.offices:,} offices, "
            f"{self.too_close:,} too close to call, {self.not_placed:,} not placed; "
            f"{self.written:,} rows written."
        )

    def as_json(self) -> dict[str, Any]:
        """The report for a program to read."""
        return {**asdict(self), "columns": list(self.columns)}


def screen(
    source: str | Path,
    target: str | Path,
    offices_path: str | Path,
    radius_m: float,
    *,
    all_pairs: bool = False,
    on: str | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> ScreenReport:
    """Find the nearest office of every row of a file and write both side by side.

    The rows, their order and the columns of ``source`` are kept as they are; ``ADDED`` is put after
    them. A row without coordinates, or with some that cannot be read, are off the globe or, by
    their own address, swapped, is placed by its address, with its uncertainty; one that cannot be
    placed has blanks. A ``note`` says why. Coordinates have the precision that the file says.
    Parquet and CSV are streamed. ``target`` is replaced only once all went well.

    Parameters
    ----------
    source, target
        Files of any format of ``read_table`` and ``write_table``.
    offices_path
        A file of offices with coordinates, in any of those formats.
    radius_m
        Metres on the WGS84 ellipsoid; a point exactly that far away is within.
    all_pairs
        Write one row for each point and office within the radius instead (``ADDED_TO_PAIRS``).
    on
        An ISO date: leave out offices that open later or closed by then.
    progress
        Called with the rows done and the rows there are (None where that is not known).

    Raises
    ------
    FileFormatError
        If a file cannot be read, or written as what its suffix says.
    ColumnError
        If ``source`` has neither coordinates nor an address.
    InputError
        If an office is refused or has no coordinates.
    """
    source, target = Path(source), Path(target)
    check_writable(target)
    index, has_polar = _read_offices(Path(offices_path), on)
    file = open_source(source)
    screener = _Screener(file, index, radius_m, all_pairs=all_pairs, with_antarctica=has_polar)
    done = written = 0
    with replacing(target) as temporary:
        sink = open_sink(temporary)
        for batch in file.batches:
            answer, points = screener.screen(batch)
            sink.write(answer, points)
            done += batch.table.num_rows
            written += answer.num_rows
            if progress is not None:
                progress(done, file.rows)
        sink.close()
    return ScreenReport(
        rows=done,
        placed=screener.placed,
        within=screener.within,
        too_close=screener.too_close,
        not_placed=done - screener.placed,
        written=written,
        offices=len(index),
        radius_m=radius_m,
        columns=tuple(screener.names),
    )


def _read_offices(path: Path, on: str | None) -> tuple[OfficeIndex, bool]:
    """Read the offices that are open, and whether one is in Antarctica; all breaches at once."""
    table = read_rows("offices", read_table(path))
    if len(table.refused):
        refusals = "; ".join(
            f"line {line}: {reason}. {remedy}"
            for line, reason, remedy in table.refused[["line", "reason", "remedy"]].to_numpy()
        )
        raise InputError(f"{path}: {refusals}")
    offices = table.rows
    if on is not None:
        opened, closed = offices["opened_on"], offices["closed_on"]
        offices = offices[(opened.isna() | (opened <= on)) & (closed.isna() | (closed > on))]
    try:
        return OfficeIndex.from_frame(offices), bool((offices["lat"] < ANTARCTIC_LAT).any())
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


class _Screener:
    """Screens batches of one file and counts."""

    def __init__(
        self,
        file: Source,
        index: OfficeIndex,
        radius_m: float,
        *,
        all_pairs: bool,
        with_antarctica: bool,
    ) -> None:
        self.file, self.index, self.radius_m, self.all_pairs = file, index, radius_m, all_pairs
        mapping = map_headers(file.columns, "prospects")
        self.columns = {ours: header for header, ours in mapping.items()}
        self.addresses = AddressReader(self.columns)
        self.names = _free_names(ADDED_TO_PAIRS if all_pairs else ADDED, file.columns)
        self.office_ids = pa.array([str(i) for i in index.office_id], pa.string())
        self.with_antarctica = with_antarctica
        self.gazetteer = Gazetteer(reference.load())
        self.placed = self.within = self.too_close = 0
        self._check_columns()

    def _check_columns(self) -> None:
        has_point = (
            {"lon", "lat"} <= set(self.columns)
            or LAT_LON in self.columns
            or self.file.geometry is not None
        )
        has_address = not {"street", "city", "postal_code"}.isdisjoint(self.columns)
        if not has_point and not has_address:
            headers = ", ".join(map(repr, self.file.columns))
            lacking = "lat" if "lon" in self.columns else "lon"
            what = (
                f"no column {lacking!r}"
                if {"lon", "lat"} & set(self.columns)
                else "no columns 'lat' and 'lon', nor 'postal_code', nor 'city' and 'state'"
            )
            raise ColumnError(f"{self.file.path}: {what}; it has {headers}. Rename or add them.")

    def screen(self, batch: Batch) -> tuple[pa.Table, Points]:
        """Add the answers to the rows of a batch; tell also where the rows are."""
        lon, lat, notes = coordinates.read(batch, self.columns, self.file.geometry)
        absent = np.isnan(lon) | np.isnan(lat)
        nought = (lon == 0) & (lat == 0)
        if nought.any():
            notes |= dict.fromkeys(np.flatnonzero(nought).tolist(), _NULL_ISLAND)
            absent |= nought
        lon[absent] = lat[absent] = np.nan
        self._leave_out_faults(batch, lon, lat, notes)
        absent = np.isnan(lon)
        given_m = np.maximum(GeocodingPolicy.given_uncertainty_m, rounding_m(lon, lat))
        uncertainty_m = np.where(absent, np.nan, given_m)
        uncertainty_m = said_uncertainty(batch.table, self.columns, uncertainty_m)
        rows = np.flatnonzero(absent)
        if len(rows):
            addresses, remarks = self.addresses.read(batch, rows)
            geocodes = self.gazetteer.lookup(addresses)
            lon[rows], lat[rows] = geocodes["lon"], geocodes["lat"]
            uncertainty_m[rows] = geocodes["uncertainty_m"]
            texts = join_notes(remarks, geocodes["geocode_note"])
            for at, note in zip(rows.tolist(), texts, strict=True):
                if note is not None:
                    notes[at] = f"{notes[at].rstrip('.')}; {note}" if at in notes else note
        self.placed += int(np.count_nonzero(~np.isnan(lon)))
        note_column = _sparse_text(notes, len(lon))
        if self.all_pairs:
            return self._pairs(batch, lon, lat, uncertainty_m, note_column)
        return self._nearest(batch, lon, lat, uncertainty_m, note_column)

    def _nearest(
        self, batch: Batch, lon: Floats, lat: Floats, uncertainty_m: Floats, notes: pa.Array
    ) -> tuple[pa.Table, Points]:
        unplaced = np.isnan(lon)
        mask = unplaced if unplaced.any() else None
        # A row without a place is measured from anywhere and its answer left out.
        x, y = (lon, lat) if mask is None else (np.where(mask, 0.0, lon), np.where(mask, 0.0, lat))
        exact = self.file.format != "parquet"
        near = self.index.nearest(x, y, self.radius_m, exact=exact)
        codes = self._verdicts(near.distance_m, uncertainty_m)
        self.within += int(np.count_nonzero(near.within & ~unplaced))
        columns = (
            self.office_ids.take(pa.array(near.office, mask=mask)),
            pa.array(near.distance_m / METRES_PER_MILE, mask=mask),
            pa.array(near.within, mask=mask),
            pa.array(near.offices_within, pa.int32(), mask=mask),
            pa.array(uncertainty_m / METRES_PER_MILE, mask=mask),
            _VERDICTS.take(pa.array(codes, mask=mask)),
            notes,
        )
        return _with_columns(batch.table, self.names, columns), (lon, lat)

    def _pairs(
        self, batch: Batch, lon: Floats, lat: Floats, uncertainty_m: Floats, notes: pa.Array
    ) -> tuple[pa.Table, Points]:
        placed = np.flatnonzero(~np.isnan(lon))
        point, office, distance_m = self.index.pairs_within(lon[placed], lat[placed], self.radius_m)
        row = placed[point]
        codes = self._verdicts(distance_m, uncertainty_m[row])
        self.within += len(np.unique(row))
        columns = (
            self.office_ids.take(pa.array(office)),
            pa.array(distance_m / METRES_PER_MILE),
            pa.array(uncertainty_m[row] / METRES_PER_MILE),
            _VERDICTS.take(pa.array(codes)),
            notes.take(pa.array(row)),
        )
        table = batch.table.take(pa.array(row))
        return _with_columns(table, self.names, columns), (lon[row], lat[row])

    def _verdicts(self, distance_m: Floats, uncertainty_m: Floats) -> npt.NDArray[np.int8]:
        """Positions in ``VERDICTS``; asked only where a place is uncertain, as few are."""
        codes = (distance_m > self.radius_m).astype(np.int8)  # "in", "out"
        unsure = np.flatnonzero(uncertainty_m > 0)
        if len(unsure):
            words = verdicts(distance_m[unsure], uncertainty_m[unsure], self.radius_m)
            for position, verdict in enumerate(VERDICTS):
                codes[unsure[words == verdict]] = position
            self.too_close += int(np.count_nonzero(words == "too_close_to_call"))
        return codes

    def _leave_out_faults(
        self, batch: Batch, lon: Floats, lat: Floats, notes: dict[int, str]
    ) -> None:
        """Leave coordinates unused that cannot be a place, in place, with a note."""
        rows = np.flatnonzero(suspects(lon, lat))
        if not len(rows):
            return
        american = np.zeros(len(rows), bool)
        if {"state", "country"} & set(self.columns):
            address, _ = self.addresses.read(batch, rows)
            at_home = (address["country"] == "US") & ~address["state"].isin(ELSEWHERE_STATES)
            american = at_home.to_numpy(bool)
        reasons, remedies = faults(
            lon[rows], lat[rows], american, with_antarctica=self.with_antarctica
        )
        bad = np.flatnonzero(pd.notna(reasons))
        for at in bad.tolist():
            notes[int(rows[at])] = f"{reasons[at]}: not used. {remedies[at]}"
        x, y = lon[rows], lat[rows]
        odd = rows[(x > 0) & in_united_states(-x, y) & pd.isna(reasons)]
        if 0 < len(odd) < np.count_nonzero(in_united_states(lon, lat)):
            # Where most rows are American, one without its minus sign stands out.
            notes |= {
                int(at): f"lon={lon[at]:.10g} is not in the United States, where the other rows "
                "are, but would be with a minus sign"
                for at in odd.tolist()
            }
        lon[rows[bad]] = lat[rows[bad]] = np.nan


def _free_names(names: tuple[str, ...], columns: tuple[str, ...]) -> list[str]:
    """Names for the columns to add; "_2" follows one that the file has already."""
    used = {name.casefold() for name in columns}
    free_names = []
    for name in names:
        free, number = name, 2
        while free.casefold() in used:
            free, number = f"{name}_{number}", number + 1
        free_names.append(free)
    return free_names


def _with_columns(table: pa.Table, names: list[str], columns: tuple[pa.Array, ...]) -> pa.Table:
    for name, column in zip(names, columns, strict=True):
        table = table.append_column(name, column)
    return table


def _sparse_text(texts: dict[int, str], rows: int) -> pa.Array:
    if not texts:
        return pa.nulls(rows, pa.string())
    whole = np.full(rows, None, dtype=object)
    whole[list(texts)] = list(texts.values())
    return pa.array(whole, pa.string())
