"""Which header is which column, as a TOML file that a person can edit.

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
from typing import TYPE_CHECKING

from territory.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from territory.imports.report import Preview

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
    meant = document.pop("kind", kind)
    if not isinstance(mapping, dict) or document:
        raise InputError(f"{path}: a mapping has `kind` and a table [mapping]. {_HOW}")
    if meant != kind:
        raise InputError(f"{path}: this mapping is for {meant!r}, not for {kind}. {_HOW}")
    odd = [header for header, column in mapping.items() if not isinstance(column, str)]
    if odd:
        raise InputError(
            f"{path}: {', '.join(map(repr, odd))}: write the name of a column between quotes, or "
            '"" for a header that is not used.'
        )
    return mapping


def mapping_text(seen: Preview) -> str:
    """Write the mapping of a preview, every header of the file once, with what may be chosen."""
    free = seen.columns.loc[seen.columns["header"].isna(), "column"]
    lines = [
        f'# {_one_line(seen.source)}: {seen.origin}. A header mapped to "" is not used.',
        f"# Columns without a header: {', '.join(free) or 'none'}.",
        f"kind = {_quoted(seen.kind)}",
        "",
        "[mapping]",
        *(f"{_quoted(name)} = {_quoted(seen.mapping.get(name, ''))}" for name in seen.headers),
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Write a TOML string: those of JSON, except that DEL is escaped too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)
