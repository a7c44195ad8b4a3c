"""What is kept, for how long, and how much of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from territory.store import Kept


def asked(kept: Kept[str], keys: str) -> list[str]:
    """Ask for one key after the other; gives those that had to be made."""
    made: list[str] = []

    def make(key: str) -> str:
        made.append(key)
        return key

    for key in keys:
        assert kept.get(key, lambda key=key: make(key)) == key
    return made


def test_what_was_asked_for_lately_is_not_made_again() -> None:
    kept: Kept[str] = Kept(2, 0, len)
    assert asked(kept, "ababba") == ["a", "b"]


def test_what_was_asked_for_longest_ago_goes_first() -> None:
    kept: Kept[str] = Kept(2, 0, len)
    assert asked(kept, "aba") == ["a", "b"]
    assert asked(kept, "cab") == ["c", "b"]  # "a" was asked for after "b"


def test_the_weight_counts_and_not_the_number() -> None:
    kept: Kept[str] = Kept(5, 0, lambda word: 3 if word == "w" else 1)
    assert asked(kept, "abcwab") == ["a", "b", "c", "w", "a", "b"]
    assert asked(kept, "wab") == []


def test_the_last_few_stay_however_heavy() -> None:
    kept: Kept[str] = Kept(0, 2, len)
    assert asked(kept, "abab") == ["a", "b"]
    assert asked(kept, "cb") == ["c"]


def test_threads_may_ask_at_once() -> None:
    kept: Kept[int] = Kept(50, 0, lambda _: 1)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: kept.get(n % 70, lambda: n % 70), range(20_000)))
    assert found == [n % 70 for n in range(20_000)]
    assert sum(kept.get(n, lambda: -1) == n for n in range(70)) <= 50
