"""Import records: what became of every line and what it replaced, so that it can be undone."""

from __future__ import annotations

import dataclasses
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import delete, func, insert, select, update

from territory.errors import NotFoundError
from territory.imports.report import ImportRecord
from territory.imports.vocabulary import Vocabulary
from territory.schemas import CHANGES
from territory.store import imports, mappings, rows, tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from territory.store import Transaction

IS_NEW = "is_new"  # the column of a before-image that marks rows which the import brought
NO_LINE = 0  # the line of keys that a full import did not mention
_CHUNK = 5_000  # keys that one statement names: three parts of each stay under SQLite's 32,766
_EARLIER = 50  # imports of a kind that a file is compared with
_PACKED = 100_000  # rows that are packed at a time
_CELLS = "cells"  # counts of an import that stand with those of changes
_RECORDED = tuple(field.name for field in dataclasses.fields(ImportRecord) if field.name != _CELLS)
_JSON = ("buckets", "changes", "mapping")


class ImportLedger:
    """The import records of one transaction, and the rows they speak of."""

    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction.connection

    def next_number(self) -> int:
        """Give the number of the next import: 1, 2, 3 ..."""
        top: int | None = self._connection.execute(select(func.max(imports.c.number))).scalar()
        return (top or 0) + 1

    def add(
        self,
        record: ImportRecord,
        outcomes: pd.DataFrame,
        missing: Iterable[str],
        past: pd.DataFrame,
        new_keys: pd.DataFrame,
        vocabulary: Vocabulary,
    ) -> None:
        """Write the record of an import.

        ``missing`` are keys that a full import did not mention; ``past`` has the rows that it
        changed, as they were, ``new_keys`` the keys of those that are new.
        """
        keys = list(missing)
        absent = pd.DataFrame(
            {"line": np.full(len(keys), NO_LINE), "key": pd.Series(keys, dtype=object)}
        )
        values = dataclasses.asdict(record)
        values["changes"] |= values.pop(_CELLS)
        values |= {name: json.dumps(dict(values[name])) for name in _JSON}
        self._connection.execute(
            insert(imports).values(
                **values,
                outcomes=_pack([outcomes, absent]),
                vocabulary=json.dumps(vocabulary.as_json()),
                before=_pack([past.assign(**{IS_NEW: False}), new_keys.assign(**{IS_NEW: True})]),
            )
        )

    def records(self, kind: str | None = None) -> list[ImportRecord]:
        """Give the records of all imports, or of those of a kind, the newest first."""
        query = select(*(imports.c[name] for name in _RECORDED)).order_by(imports.c.number.desc())
        if kind is not None:
            query = query.where(imports.c.kind == kind)
        return [_record(row) for row in self._connection.execute(query)]

    def record(self, import_id: str) -> ImportRecord:
        """Look up the record of an import.

        Raises
        ------
        NotFoundError
            If there is none.
        """
        query = select(*(imports.c[name] for name in _RECORDED))
        row = self._connection.execute(query.where(imports.c.import_id == import_id)).one_or_none()
        if row is None:
            raise NotFoundError(
                f"No import {import_id!r}. `territory imports list` shows those there are."
            )
        return _record(row)

    def outcomes(self, import_id: str) -> pd.DataFrame:
        """Read what became of every line of the file: ``OUTCOMES``."""
        whole = self._frame(import_id, "outcomes")
        return whole[whole["line"] != NO_LINE].reset_index(drop=True)

    def missing(self, import_id: str) -> tuple[str, ...]:
        """Read the keys that were in the store and not in the file, if it was a full one."""
        whole = self._frame(import_id, "outcomes", ["line", "key"])
        return tuple(whole.loc[whole["line"] == NO_LINE, "key"])

    def before(self, import_id: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Read the rows that the import changed, as they were, and the keys that it brought.

        The column ``IS_NEW`` tells them apart.
        """
        return self._frame(import_id, "before", columns)

    def vocabularies(self, kind: str) -> list[Vocabulary]:
        """Read in what the files of a kind were written, the newest first; without undone ones."""
        query = (
            select(imports.c.import_id, imports.c.vocabulary)
            .where(imports.c.kind == kind, imports.c.undone_at.is_(None))
            .where(imports.c.vocabulary.is_not(None))
            .order_by(imports.c.number.desc())
            .limit(_EARLIER)
        )
        return [
            Vocabulary.of_json(json.loads(text), import_id)
            for import_id, text in self._connection.execute(query)
        ]

    def mark_undone(self, import_id: str, at: str, by: str) -> None:
        """Note that an import was undone."""
        self._connection.execute(
            update(imports)
            .where(imports.c.import_id == import_id)
            .values(undone_at=at, undone_by=by)
        )

    def mapping(self, kind: str, signature: str) -> dict[str, str] | None:
        """Look up the mapping that was used last for files of these headers; None for none."""
        text = self._connection.execute(
            select(mappings.c.mapping).where(
                mappings.c.kind == kind, mappings.c.signature == signature
            )
        ).scalar()
        return None if text is None else dict(json.loads(text))

    def remember(
        self, kind: str, signature: str, mapping: Mapping[str, str], at: str, by: str
    ) -> None:
        """Keep a mapping for the next file of these headers, in place of an earlier one."""
        same = (mappings.c.kind == kind) & (mappings.c.signature == signature)
        self._connection.execute(delete(mappings).where(same))
        self._connection.execute(
            insert(mappings).values(
                kind=kind,
                signature=signature,
                mapping=json.dumps(dict(mapping)),
                saved_at=at,
                saved_by=by,
            )
        )

    def remove(self, kind: str, keys: pd.DataFrame) -> int:
        """Delete the rows of a kind that have these keys and tell how many there were."""
        table = tables.KINDS[kind].table
        return sum(
            self._connection.execute(delete(table).where(some)).rowcount
            for some in rows.among(table, keys)
        )

    def referring(self, kind: str, column: str, values: pd.Series) -> pd.DataFrame:
        """Read the key columns and ``column`` of the rows of a kind that name one of ``values``."""
        table = tables.KINDS[kind].table
        columns = list(dict.fromkeys([*table.primary_key, table.c[column]]))
        listed = values.tolist()
        parts = [
            rows.read(
                self._connection,
                select(*columns).where(table.c[column].in_(listed[start : start + _CHUNK])),
            )
            for start in range(0, len(listed), _CHUNK)
        ]
        return pd.concat(parts, ignore_index=True) if parts else self._blank(columns)

    def _blank(self, columns: Sequence[Any]) -> pd.DataFrame:
        return rows.read(self._connection, select(*columns).limit(0))

    def _frame(
        self, import_id: str, cell: str, columns: Sequence[str] | None = None
    ) -> pd.DataFrame:
        packed = self._connection.execute(
            select(imports.c[cell]).where(imports.c.import_id == import_id)
        ).scalar_one()
        return _unpack(packed, columns)


def _record(row: Any) -> ImportRecord:
    values = row._asdict()
    values |= {name: json.loads(values[name]) for name in _JSON}
    counts = values.pop("changes")
    changes = {name: count for name, count in counts.items() if name in CHANGES}
    cells = {name: count for name, count in counts.items() if name not in CHANGES}
    return ImportRecord(**values, changes=changes, cells=cells)


def _pack(frames: Sequence[pd.DataFrame]) -> bytes:
    """Write frames, one below the other, as one Parquet file; part by part, to hold little twice.

    A column that a frame lacks is null there.
    """
    names = list(dict.fromkeys(str(name) for frame in frames for name in frame.columns))
    schema = pa.schema([(name, _type(name, frames)) for name in names])
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for frame in frames:
            for start in range(0, len(frame), _PACKED):
                part = frame.iloc[start : start + _PACKED].reindex(columns=names)
                writer.write_table(pa.Table.from_pandas(part, schema, preserve_index=False))
    pa.default_memory_pool().release_unused()
    return sink.getvalue()


def _type(name: str, frames: Sequence[pd.DataFrame]) -> pa.DataType:
    """Tell the type of a column: that of its numbers, or of the first thing in it."""
    for frame in frames:
        if name in frame:
            column = frame[name]
            if column.dtype.kind in "bif":
                return pa.from_numpy_dtype(column.dtype)
            first = column.first_valid_index()
            if first is not None:
                return pa.infer_type([column.loc[first]])
    return pa.string()


def _unpack(packed: bytes, columns: Sequence[str] | None) -> pd.DataFrame:
    """Read such a file: text as object with None, the same text once."""
    table = pq.read_table(pa.BufferReader(packed), columns=list(columns) if columns else None)
    return pd.DataFrame({name: _values(table[name]) for name in table.column_names})


def _values(column: pa.ChunkedArray) -> pd.Series:
    kind = column.type
    if pa.types.is_null(kind):
        return pd.Series(np.full(len(column), None, dtype=object), dtype=object)
    if not pa.types.is_string(kind):
        return pd.Series(column.to_pandas())
    coded = column.dictionary_encode().combine_chunks()
    texts = np.array([*coded.dictionary.to_pylist(), None], dtype=object)
    at = coded.indices.fill_null(len(texts) - 1).to_numpy()
    return pd.Series(texts[at], dtype=object)
