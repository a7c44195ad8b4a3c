"""Word search: rows by the first letters of words, one slip of the finger forgiven.

The words of every row are folded (case, accents, punctuation) and kept once, sorted, each with the
rows it stands in. A word that is asked for matches every word it is the beginning of; only where
there is none are words one letter away tried (two from eight letters on), the same first letter
before others.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from rapidfuzz.distance import DamerauLevenshtein
from rapidfuzz.process import extract

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

_SLIPS = ((8, 2), (4, 1))  # letters of a word -> how many may be wrong; fewer letters: none
_MOST_NEAR_MISSES = 50
_LONGEST_WORD = 40
_WORD = re.compile(r"[^\W_]+")
_ACCENTS = re.compile(r"[\u0300-\u036f]")
_APOSTROPHES = re.compile(r"['\u2018\u2019]")


def fold_words(text: str) -> list[str]:
    """The words of a text, folded: "Société Générale & Co" -> societe, generale, co."""
    plain = text.casefold()
    if not plain.isascii():
        # Folded once more: what a letter decomposes into may be capital, as in "Acme\u2122".
        plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", plain).casefold())
        plain = _ACCENTS.sub("", plain)
    return [word[:_LONGEST_WORD] for word in _WORD.findall(_APOSTROPHES.sub("", plain))]


@dataclass(frozen=True)
class WordIndex:
    """The words of a set of rows.

    ``words`` is sorted, as UTF-8 bytes; the rows of word n are
    ``rows[starts[n]:starts[n + 1]]``, ascending.
    """

    words: npt.NDArray[np.bytes_]
    starts: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int32]

    @classmethod
    def of(cls, columns: Sequence[pd.Series]) -> WordIndex:
        """Index every word of some text columns of one frame, by position."""
        word_parts, row_parts = [], []
        for column in columns:
            code, texts = pd.factorize(column)
            folded = [fold_words(str(text)) for text in texts]
            lengths = np.array([len(words) for words in folded], np.int64)
            flat = np.array([word for words in folded for word in words], dtype=object)
            starts = np.r_[0, np.cumsum(lengths)]
            has = np.flatnonzero(code >= 0)
            size = lengths[code[has]]
            at = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
            word_parts.append(flat[np.repeat(starts[code[has]], size) + at])
            row_parts.append(np.repeat(has, size))
        rows = np.concatenate(row_parts) if row_parts else np.zeros(0, np.int64)
        all_words = np.concatenate(word_parts) if word_parts else np.zeros(0, object)
        code, words = pd.factorize(all_words, sort=True)  # by code point, as UTF-8 bytes sort
        width = int(rows.max(initial=0)) + 1
        pairs = np.sort(code.astype(np.int64) * width + rows, kind="stable")
        pairs = pairs[np.r_[True, pairs[1:] != pairs[:-1]]] if len(pairs) else pairs
        starts = np.searchsorted(pairs, np.arange(len(words) + 1) * width)
        utf8 = np.array([word.encode() for word in words], dtype=np.bytes_)
        return cls(utf8, starts.astype(np.int64), (pairs % width).astype(np.int32))

    def find(
        self, text: str, size: int, among: npt.NDArray[np.bool_] | None = None
    ) -> npt.NDArray[np.bool_]:
        """Tell which of ``size`` rows have every word of ``text``; an empty text finds all.

        Where no row has them all, words that are nearly those count too. With ``among`` (bool per
        row) the other rows are as if they were not there: they neither are found nor decide what is
        near enough.
        """
        words = fold_words(text)
        whole = np.ones(size, bool) if among is None else among
        mask = self._rows([self._begins(word) for word in words], whole)
        if mask.any() or not whole.any():
            return mask
        used = self._used(whole, 0, len(self.words))
        near = [self._begins(word) + self._nearly(word, used) for word in words]
        return self._rows(near, whole)

    def _rows(
        self, runs: list[list[tuple[int, int]]], among: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.bool_]:
        """Tell which rows have a word of each set of runs."""
        mask = among.copy()
        for of_word in runs:
            hit = np.zeros(len(among), bool)
            for first, last in of_word:
                hit[self.rows[self.starts[first] : self.starts[last]]] = True
            mask &= hit
        return mask

    def _used(self, among: npt.NDArray[np.bool_], first: int, last: int) -> npt.NDArray[np.int64]:
        """Count the rows that have each of a run of words."""
        # The rows of a run of words are one slice, word after word, so the counts are differences
        # of one running total over it.
        starts = self.starts[first : last + 1]
        before = np.zeros(starts[-1] - starts[0] + 1, np.int64)
        np.cumsum(among[self.rows[starts[0] : starts[-1]]], out=before[1:])
        used: npt.NDArray[np.int64] = np.diff(before[starts - starts[0]])
        return used

    def suggest(
        self, text: str, among: npt.NDArray[np.bool_], limit: int = 8
    ) -> list[tuple[str, int]]:
        """Give the words that the last word of ``text`` may become, the commonest first.

        Each comes with the number of rows of ``among`` that have it and the words before it; other
        rows count for nothing.
        """
        words = fold_words(text)
        if not words or not among.any():
            return []
        within = self._rows([self._begins(word) for word in words[:-1]], among)
        runs = self._begins(words[-1])
        counted_runs = [self._counted(within, *run) for run in runs]
        if not any(len(at) for at, _ in counted_runs):
            used = self._used(within, 0, len(self.words))
            counted_runs = [self._counted(within, *run) for run in self._nearly(words[-1], used)]
        if not counted_runs:
            return []
        at, size = (np.concatenate(part) for part in zip(*counted_runs, strict=True))
        best = np.argsort(-size, kind="stable")[:limit]
        return [(self.words[at[one]].decode(), int(size[one])) for one in best]

    def _counted(
        self, among: npt.NDArray[np.bool_], first: int, last: int
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Give the words of a run that any row has, and how many rows have each."""
        size = self._used(among, first, last)
        has = np.flatnonzero(size)
        return has + first, size[has]

    def _begins(self, start: str) -> list[tuple[int, int]]:
        """Give the run of words that begin so, if any."""
        utf8 = start.encode()  # of which no byte is 0xff: that sorts behind all that begin so
        first = int(np.searchsorted(self.words, utf8))
        last = int(np.searchsorted(self.words, utf8 + b"\xff"))
        return [(first, last)] if last > first else []

    def _nearly(self, word: str, used: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
        """Give the words that a few slips turn into this one, the same first letter first.

        Only words that are ``used`` (a count for each word) are looked at.
        """
        slips = next((slips for letters, slips in _SLIPS if len(word) >= letters), 0)
        if not slips:
            return []
        near = [self._near(word, slips, used, *run) for run in self._begins(word[0])]
        return (near and near[0]) or self._near(word, slips, used, 0, len(self.words))

    def _near(
        self, word: str, slips: int, used: npt.NDArray[np.int64], first: int, last: int
    ) -> list[tuple[int, int]]:
        positions = np.flatnonzero(used[first:last]) + first
        near = extract(
            word,
            [text.decode() for text in self.words[positions]],
            scorer=DamerauLevenshtein.distance,
            score_cutoff=slips,
            limit=_MOST_NEAR_MISSES,
        )
        least = min((distance for _, distance, _ in near), default=0)
        return [
            (int(positions[at]), int(positions[at]) + 1)
            for _, distance, at in near
            if distance == least
        ]
