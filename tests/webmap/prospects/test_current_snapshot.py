"""While one request makes the snapshot of a new plan, the others are not held up."""

from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING

from territory.plans import assign
from territory.policy import Policy, RadiusPolicy
from territory.store import open_store
from tests.fixtures.web import NOW, make_app
from webmap.prospects import current_snapshot

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_who_asks_while_it_is_made_sees_the_one_before(
    demo_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shutil.copy(demo_url.removeprefix("sqlite:///"), tmp_path / "store.sqlite")
    app = make_app(f"sqlite:///{path}", tmp_path / "var")
    with app.app_context():
        before = current_snapshot.current().index.snapshot.stamp
    with open_store(str(path)) as store:
        policy = Policy(name="nearer", radius=RadiusPolicy(limit_m=30_000.0))
        assert assign(store, published_by="ops", now=NOW, policy=policy).is_published
    making, go = threading.Event(), threading.Event()
    renew, seen = current_snapshot._renew, []

    def slow(*arguments: object) -> object:
        making.set()
        go.wait(600)
        return renew(*arguments)

    def first() -> None:
        with app.app_context():
            seen.append(current_snapshot.current().index.snapshot.stamp)

    monkeypatch.setattr(current_snapshot, "_renew", slow)
    monkeypatch.setattr(current_snapshot, "PATIENCE_S", 0.01)
    thread = threading.Thread(target=first)
    thread.start()
    assert making.wait(600)
    with app.app_context():
        assert current_snapshot.current().index.snapshot.stamp == before
    go.set()
    thread.join()
    with app.app_context():
        after = current_snapshot.current().index.snapshot.stamp
    assert seen == [after] != [before]
