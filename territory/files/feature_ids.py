"""Feature ids: those of GeoJSON read by ourselves, and those of KML known for what they are.

GDAL keeps an integer id of a GeoJSON feature for itself and mangles mixed and long ones, so they
are read here. The id of a KML feature is its number within the file: two files share them, and
nothing is known by it.
"""

from __future__ import annotations

import json
import mmap
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyogrio

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KML_ID = "kml_feature_id"  # the column in which the id of a KML feature comes
_FEATURES = re.compile(r'"features"\s*:\s*\[')
_BETWEEN = re.compile(r"[\s,]*")
SERIAL_NOTE = "The ids of the features only count them from 0: they were not used."


def feature_ids(path: Path) -> list[str | None] | None:
    """Read the ids of the features of a GeoJSON file, in its order.

    Returns
    -------
    ids
        Texts, None where a feature has none. None as a whole where no feature has one, where the
        features have a property "id", which goes before it, or where the file is broken.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content.find(b'"id"') < 0:
            return None
    try:
        ids = [_id_text(feature) for feature in _features(path.read_text("utf-8-sig"))]
    except (ValueError, AttributeError):
        return None
    return ids if any(ids) else None


def are_serial(ids: list[str | None]) -> bool:
    """Tell whether ids only say which feature of the file it is, counted from 0."""
    return ids == [str(at) for at in range(len(ids))]


def _features(text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder()
    start = _FEATURES.search(text)
    if start is None:
        yield json.loads(text)
        return
    at = start.end()
    while True:
        between = _BETWEEN.match(text, at)
        at = between.end() if between else at
        if text[at] == "]":
            return
        feature, at = decoder.raw_decode(text, at)
        if "id" in {str(name).casefold() for name in feature.get("properties") or ()}:
            raise ValueError
        yield feature


def _id_text(feature: Any) -> str | None:
    value = feature.get("id")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip() or None


@contextmanager
def kml_ids_apart() -> Iterator[None]:
    """Let GDAL put the ids of KML features into ``KML_ID``, so that a field "id" keeps its name."""
    before = pyogrio.get_gdal_config_option("LIBKML_ID_FIELD")
    pyogrio.set_gdal_config_options({"LIBKML_ID_FIELD": KML_ID})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"LIBKML_ID_FIELD": before})
