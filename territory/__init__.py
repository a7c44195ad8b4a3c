"""Sales territories, target markets and commute-radius eligibility, decided on the ellipsoid.

The verbs, imported when they are first used, so that ``import territory`` costs next to nothing::

    import territory

    with territory.open_store("sqlite:///var/territory.sqlite") as store:
        territory.import_file(store, "prospects", "accounts.csv", by="Ann", now=now)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from territory.demo import load_demo
    from territory.geodesy import OfficeIndex
    from territory.policy import Policy, read_policy
    from territory.screening import screen
    from territory.store import open_store
    from territory.workflow import (
        assign,
        check,
        explain,
        export,
        import_file,
        market,
        market_summaries,
        overview,
    )

__all__ = [
    "OfficeIndex",
    "Policy",
    "assign",
    "check",
    "explain",
    "export",
    "import_file",
    "load_demo",
    "market",
    "market_summaries",
    "open_store",
    "overview",
    "read_policy",
    "screen",
]

_HOMES = {
    "OfficeIndex": "geodesy",
    "Policy": "policy",
    "load_demo": "demo",
    "open_store": "store",
    "read_policy": "policy",
    "screen": "screening",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'territory' has no attribute {name!r}")
    home = import_module(f"territory.{_HOMES.get(name, 'workflow')}")
    return getattr(home, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
