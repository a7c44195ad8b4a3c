"""The points of a Parquet file are found by whichever standard names them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from territory.errors import FileFormatError
from territory.files import read_table
from territory.files.arrow_stream import open_source
from territory.files.parquet_geometry import _crs

if TYPE_CHECKING:
    from pathlib import Path

CHICAGO = (-87.6359, 41.8789)
WKB = shapely.to_wkb(shapely.points([CHICAGO]))


def write(path: Path, notes: dict[str, Any] | None, **keys: Any) -> None:
    marks = {name: text if isinstance(text, str) else json.dumps(text) for name, text in
             (notes or {}).items()}  # fmt: skip
    schema = pa.schema(
        [pa.field("name", pa.string()), pa.field("geom", pa.binary(), metadata=marks or None)],
        metadata={name: json.dumps(value) for name, value in keys.items()},
    )
    pq.write_table(pa.table([["Acme"], list(WKB)], schema=schema), path)


def extension(crs: str | None) -> dict[str, Any]:
    details = {} if crs is None else {"crs": crs}
    return {"ARROW:extension:name": "geoarrow.wkb", "ARROW:extension:metadata": details}


@pytest.mark.parametrize("crs", [None, "EPSG:4326"])
def test_a_column_of_geoarrow_wkb_is_the_geometry(tmp_path: Path, crs: str | None) -> None:
    write(tmp_path / "p.parquet", extension(crs))
    row = read_table(tmp_path / "p.parquet").frame.iloc[0]
    assert (float(row["lon"]), float(row["lat"])) == pytest.approx(CHICAGO)
    assert open_source(tmp_path / "p.parquet").geometry == ("geom", crs or "OGC:CRS84")


def test_the_key_of_geoparquet_goes_before_the_type_of_a_column(tmp_path: Path) -> None:
    meta = {"primary_column": "geom", "columns": {"geom": {"encoding": "WKB", "crs": "EPSG:4269"}}}
    write(tmp_path / "p.parquet", extension(None), geo=meta)
    assert open_source(tmp_path / "p.parquet").geometry == ("geom", "EPSG:4269")


def test_native_geoarrow_is_refused_with_the_remedy(tmp_path: Path) -> None:
    meta = {"primary_column": "geom", "columns": {"geom": {"encoding": "point"}}}
    write(tmp_path / "p.parquet", None, geo=meta)
    with pytest.raises(FileFormatError, match=r"encoded as point. Write it with encoding WKB"):
        read_table(tmp_path / "p.parquet")


def test_a_plain_table_has_no_geometry(tmp_path: Path) -> None:
    write(tmp_path / "p.parquet", None)
    assert open_source(tmp_path / "p.parquet").geometry is None
    assert read_table(tmp_path / "p.parquet").frame.columns.tolist() == ["name"]


@pytest.mark.parametrize(
    ("text", "crs"),
    [
        ("", "OGC:CRS84"),
        ("srid:3857", "EPSG:3857"),
        ("srid:0", "OGC:CRS84"),
        ("projjson:mine", {"name": "x"}),
        ("EPSG:4326", "EPSG:4326"),
    ],
)
def test_a_coordinate_system_is_named_in_four_ways(text: str, crs: Any) -> None:
    assert _crs(text, {b"mine": b'{"name": "x"}'}) == crs
