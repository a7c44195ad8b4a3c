"""Column mapping of a file: shown in a preview, and kept as a TOML file that a person can edit.

::

kind = "prospects"

[mapping]
"Company name" = "name"
"ZIP/Postal" = "postal_code"
"Rank" = ""  # not used
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from territory.cleaning import clean_names
from territory.errors import ColumnError, InputError
from territory.imports import headers
from territory.imports.ledger import ImportLedger
from territory.imports.read_file import check_kind, head, is_outlines, outline_table
from territory.imports.run import mapping_for
from territory.imports.vocabulary import News, news_of
from territory.store import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from territory.store import Store

_SAMPLE = 1_000  # rows by which a preview tells whether a file speaks of rows on file
_HOW = "`territory mapping KIND FILE` prints one to edit."


def read_mapping(path: Path, kind: str) -> dict[str, str]:
    """Read header -> column, "" for a header that is not to be used.

    Raises
    ------
    InputError
        If the file is no such TOML, or was made for another kind.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"{path}: not readable as TOML ({reason}). {_HOW}") from None
    mapping = document.pop("mapping", None)
    its_kind = document.pop("kind", kind)
    if not isinstance(mapping, dict) or document:
        raise InputError(f"{path}: a mapping has `kind` and a table [mapping]. {_HOW}")
    if its_kind != kind:
        raise InputError(f"{path}: this mapping is for {its_kind!r}, not for {kind}. {_HOW}")
    odd = [header for header, column in mapping.items() if not isinstance(column, str)]
    if odd:
        raise InputError(
            f"{path}: {', '.join(map(repr, odd))}: write the name of a column between quotes, or "
            '"" for a header that is not used.'
        )
    return mapping


def mapping_text(proposal: Preview) -> str:
    """Write the mapping of a preview, every header of the file once, with what may be chosen."""
    free = proposal.columns.loc[proposal.columns["header"].isna(), "column"]
    lines = [
        f'# {_one_line(proposal.source)}: {proposal.origin}. A header mapped to "" is not used.',
        f"# Columns without a header: {', '.join(free) or 'none'}.",
        f"kind = {_quoted(proposal.kind)}",
        "",
        "[mapping]",
        *(
            f"{_quoted(name)} = {_quoted(proposal.mapping.get(name, ''))}"
            for name in proposal.headers
        ),
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Write a TOML string: those of JSON, except that DEL is escaped too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


@dataclass(frozen=True)
class Preview:
    """What a file would be read as, before anything is read into the store.

    ``rows`` are the first rows as written, on the index of their lines. ``mapping`` says which
    header is which column, and ``origin`` where that comes from: "given", "remembered" from an
    earlier import of a file with these headers, or "automatic". ``columns`` has every column of the
    kind: column, is_required, header (null where no header is it). ``problem`` is the sentence with
    which an import would refuse the file as it is mapped now, or None; ``warnings`` are sentences
    about what is likely to be wrong with it; ``news`` says which headers the file before it of the
    same source had not.
    """

    kind: str
    source: str
    headers: tuple[str, ...]
    rows: pd.DataFrame
    mapping: Mapping[str, str]
    origin: str
    columns: pd.DataFrame
    problem: str | None
    warnings: tuple[str, ...] = ()
    news: News = field(default_factory=News)

    @property
    def system(self) -> str:
        """The source system that writes such headers, "" for none that is known."""
        return headers.recognize(self.headers, self.kind)

    @property
    def ignored(self) -> tuple[str, ...]:
        """Headers that would not be used."""
        return tuple(name for name in self.headers if name not in self.mapping)

    @property
    def missing(self) -> tuple[str, ...]:
        """Required columns that no header is mapped to yet."""
        is_open = self.columns["is_required"] & self.columns["header"].isna()
        return tuple(self.columns.loc[is_open, "column"])


def preview(
    store: Store,
    kind: str,
    path: str | Path,
    *,
    mapping: Mapping[str, str] | None = None,
    rows: int = 20,
) -> Preview:
    """Show how a file would be read, without reading it into the store.

    Parameters
    ----------
    mapping
        Header -> column, "" for a header that is not to be used; by default the one that was given
        last for a file of these headers, else the one that the names of the headers suggest.
    rows
        How many rows to show.

    Raises
    ------
    InputError
        If the file cannot be read at all. A mapping that does not fit is told in ``problem``.
    """
    check_kind(kind)
    path = Path(path)
    if is_outlines(kind, path):
        table = outline_table(path)
        names = [str(name) for name in table.frame.columns]
        columns: Mapping[str, str] = {name: name for name in names}
        origin, problem = "automatic", None
    else:
        table = head(path, max(rows, _SAMPLE))
        names = [str(name) for name in table.frame.columns]
        columns, origin = mapping_for(store, kind, names, mapping)
        problem = None
        try:
            is_update = _is_on_file(store, kind, table.frame, columns)
            headers.check_columns(kind, columns, names, is_update=is_update)
        except ColumnError as error:
            problem = str(error)
    by_column = {column: header for header, column in columns.items()}
    ours, required = headers.columns_of(kind), headers.required(kind)
    listed = {
        "column": pd.Series(ours, dtype=object),
        "is_required": [name in required for name in ours],
        "header": pd.Series([by_column.get(name) for name in ours], dtype=object),
    }
    return Preview(
        kind=kind,
        source=path.name,
        headers=tuple(names),
        rows=table.frame.head(rows).set_axis(pd.Index(table.lines[:rows], name="line"), axis=0),
        mapping={header: column for header, column in columns.items() if column},
        origin=origin,
        columns=pd.DataFrame(listed),
        problem=problem,
        warnings=headers.warnings_of(kind, columns, names),
        news=_news(store, kind, names),
    )


def _news(store: Store, kind: str, names: list[str]) -> News:
    with store.read() as transaction:
        return news_of(names, {}, ImportLedger(transaction).vocabularies(kind))


def _is_on_file(store: Store, kind: str, rows: pd.DataFrame, mapping: Mapping[str, str]) -> bool:
    """Tell whether any of the rows of a file has an id that is on file."""
    key = KINDS[kind].key[0]
    header = next((header for header, column in mapping.items() if column == key), None)
    if header is None or header not in rows:
        return False
    ids = clean_names(rows[header]).dropna().drop_duplicates()
    with store.read() as transaction:
        return len(ImportLedger(transaction).referring(kind, key, ids)) > 0
