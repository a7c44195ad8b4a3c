"""What was worked out lately, kept until there is too much of it. Threads may share it."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

Answer = TypeVar("Answer")


class Kept(Generic[Answer]):
    """Answers by key; those asked for longest ago go when together they weigh over ``most``.

    The last ``fewest`` stay however much they weigh. Two threads that ask for the same at once both
    work it out.
    """

    def __init__(self, most: int, fewest: int, weigh: Callable[[Answer], int]) -> None:
        self._most, self._fewest, self._weigh = most, fewest, weigh
        self._answers: OrderedDict[Hashable, Answer] = OrderedDict()
        self._weight = 0
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], Answer]) -> Answer:
        """Give what ``make`` answers under a key, without asking where it is kept."""
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                return self._answers[key]
        made = make()
        with self._lock:
            if key not in self._answers:
                self._answers[key] = made
                self._weight += self._weigh(made)
            while self._weight > self._most and len(self._answers) > self._fewest:
                _, gone = self._answers.popitem(last=False)
                self._weight -= self._weigh(gone)
        return made
