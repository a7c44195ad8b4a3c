"""Vocabulary of a source: the headers, words and owners of its files, and what is new in the next.

A file is the next one of a source where an earlier import of its kind had the same headers, or most
of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from territory.imports.headers import map_headers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

OWNER = "owner_rep_id"
_MOST = 5_000  # words of a column that are remembered; a file with more of them has no vocabulary
_SHARE = 0.5  # of its headers that a file has in common with the one before it


@dataclass(frozen=True)
class Vocabulary:
    """What a file is written in.

    ``columns``: header -> column of ours, "" where it is not used; ``words``: column -> what its
    cells say, of columns whose words are translated and of owners; ``is_chosen``: whether a person
    chose the columns; ``import_id``: of the file's import, "" before it has one.
    """

    columns: Mapping[str, str]
    words: Mapping[str, tuple[str, ...]]
    is_chosen: bool = False
    import_id: str = ""

    def as_json(self) -> dict[str, Any]:
        """The vocabulary for the store."""
        return {
            "columns": dict(self.columns),
            "words": {name: list(words) for name, words in self.words.items()},
            "is_chosen": self.is_chosen,
        }

    @classmethod
    def of_json(cls, values: Mapping[str, Any], import_id: str) -> Vocabulary:
        """Read what ``as_json`` wrote."""
        words = {name: tuple(each) for name, each in values["words"].items()}
        return cls(values["columns"], words, values["is_chosen"], import_id)


@dataclass(frozen=True)
class News:
    """What a file has that the earlier ones of its source had not.

    ``since``: the import of the file before it, "" where it is the first. ``words``: by column.
    """

    since: str = ""
    headers: tuple[str, ...] = ()
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_familiar(self) -> bool:
        """Whether an earlier file had all of these headers."""
        return bool(self.since) and not self.headers

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is new, a sentence for each kind of it; nothing for the first file of a source."""
        if not self.since:
            return ()
        parts = [("headers", self.headers)]
        parts += [(_called(name), words) for name, words in self.words.items()]
        return tuple(
            f"New since {self.since}: {name} {_some(words)}." for name, words in parts if words
        )

    def as_json(self) -> dict[str, Any]:
        """The news for a program to read."""
        return {
            "since": self.since or None,
            "headers": list(self.headers),
            "words": {name: list(words) for name, words in self.words.items() if words},
        }


def _called(column: str) -> str:
    return "owners" if column == OWNER else f"values of {column}"


def _some(words: Sequence[str], most: int = 8) -> str:
    more = f" and {len(words) - most:,} more" if len(words) > most else ""
    return ", ".join(map(repr, words[:most])) + more


def words_of(translations: pd.DataFrame, rows: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """List the words of a file by column: those that have a meaning of ours, and its owners."""
    words = dict(iter(translations.groupby("column", sort=False)["written"]))
    if OWNER in rows:
        words[OWNER] = rows[OWNER].dropna()
    distinct = {str(name): tuple(sorted(set(each))) for name, each in words.items()}
    return {name: each for name, each in distinct.items() if len(each) <= _MOST}


def last_of_source(headers: Sequence[str], earlier: Iterable[Vocabulary]) -> Vocabulary | None:
    """Find the file before this one: the newest with all its headers, else with most of them."""
    names = set(headers)
    best, most = None, _SHARE * len(names)
    for vocabulary in earlier:  # the newest first
        common = len(names & vocabulary.columns.keys())
        if common > most:
            best, most = vocabulary, common
        if common == len(names):
            break
    return best


def news_of(
    headers: Sequence[str], words: Mapping[str, tuple[str, ...]], earlier: Sequence[Vocabulary]
) -> News:
    """Say what a file has that those before it had not. The earlier ones come newest first."""
    last = last_of_source(headers, earlier)
    if last is None:
        return News()
    seen: dict[str, set[str]] = {}
    for vocabulary in earlier:
        for name, each in vocabulary.words.items():
            seen.setdefault(name, set()).update(each)
    # A column that no earlier file had is new as a header, not with every word in it.
    new = {
        name: tuple(word for word in each if word not in seen[name])
        for name, each in words.items()
        if name in seen
    }
    return News(last.import_id, tuple(h for h in headers if h not in last.columns), new)


def columns_as_before(kind: str, headers: Sequence[str], last: Vocabulary) -> dict[str, str]:
    """Map headers as a person chose for the file before; new ones by their names."""
    columns = {header: last.columns[header] for header in headers if header in last.columns}
    used = {column for column in columns.values() if column}
    for header, column in map_headers(headers, kind).items():
        if header not in columns and column not in used:
            columns[header] = column
    return columns
