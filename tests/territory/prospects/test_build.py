"""The snapshot of the demo plan agrees with the frames of the pages, and follows every change."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from territory import imports
from territory.access import Scope
from territory.errors import InputError, PolicyError
from territory.plans import publish
from territory.policy import Policy, ScorePolicy
from territory.prospects import build, score, snapshot
from territory.prospects.score import PARTS
from territory.reports import views
from territory.store import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from territory.store import Store

TODAY = "2026-11-23"
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_it_holds_what_the_pages_show(demo_store: Store, tmp_path: Path) -> None:
    taken = build.ready(demo_store, tmp_path / "var", TODAY)
    assert taken is not None
    shown = views.prospects(demo_store, scope=Scope.everything()).set_index("prospect_id")
    assert taken.size == len(shown)
    ids = taken.texts["prospect_id"].take(np.arange(taken.size))
    shown = shown.loc[ids]
    for name in ("pipeline_usd", "distance_mi", "employees"):
        np.testing.assert_allclose(taken.column[name], shown[name].astype(float), rtol=1e-6)
    for name in ("status", "market_id", "rep_id", "stage", "verdict"):
        labels = np.array([None, *taken.labels[name]], object)
        held = pd.Series(labels[taken.column[name]], dtype=object)
        wanted = shown[name].astype(object).where(shown[name].notna(), None)
        assert held.tolist() == wanted.tolist()
    assert taken.column["has_contacts"].any()
    assert not taken.column["has_contacts"].all()
    assert taken.column["is_multi_site"].any()


def test_it_is_made_once_and_anew_after_a_change(demo_store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "var"
    first = build.ready(demo_store, folder, TODAY)
    made = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    again = build.ready(demo_store, folder, TODAY)
    assert first is not None
    assert again is not None
    assert again.stamp == first.stamp
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == made
    deals = tmp_path / "opportunities.csv"
    one = first.texts["prospect_id"][0]
    deals.write_text(
        f"opportunity_id,prospect_id,name,stage,amount_usd\nnew,{one},New,proposal,9\n"
    )
    imports.import_file(demo_store, "opportunities", deals, by="test", now=NOW)
    later = build.ready(demo_store, folder, TODAY)
    assert later is not None
    assert later.stamp != first.stamp
    assert [path.name for path in folder.iterdir()] == [later.stamp]
    row = later.row_of(one)
    assert row is not None
    assert later.column["pipeline_usd"][row] == first.column["pipeline_usd"][0] + 9
    assert first.texts["prospect_id"][0] == one  # who has the old one open still reads it


def test_the_policy_of_the_plan_says_what_a_score_weighs(demo_store: Store, tmp_path: Path) -> None:
    usual = build.ready(demo_store, tmp_path / "var", TODAY)
    policy = Policy(name="size alone", score=ScorePolicy(
        segment=0, size=50, nearness=0, whitespace=0, pipeline=0, staleness=0))  # fmt: skip
    publish.assign(demo_store, published_by="test", policy=policy, now=NOW)
    sized = build.ready(demo_store, tmp_path / "var", TODAY)
    assert usual is not None
    assert sized is not None
    is_large = sized.column["employees"] >= 10_000
    assert set(sized.column["score"][is_large]) == {50.0, 0.0}  # 0: disqualified
    assert len(set(usual.column["score"][is_large])) > 50
    assert usual.stamp != sized.stamp


def test_there_is_none_before_the_first_plan(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "new.sqlite")) as store:
        assert build.ready(store, tmp_path / "var", TODAY) is None


def frame(**values: object) -> pd.DataFrame:
    usual = {
        "status": "prospect",
        "segment": "enterprise",
        "employees": 10_000.0,
        "distance_mi": 0.0,
        "stage": None,
        "pipeline_usd": 0.0,
        "last_activity_on": None,
    }
    return pd.DataFrame({name: [value] for name, value in (usual | values).items()})


def test_the_score_is_the_sum_of_its_parts() -> None:
    policy = ScorePolicy()
    whole = frame()
    parts = score.parts(whole, policy, TODAY)
    assert tuple(parts) == PARTS
    assert score.score(whole, policy, TODAY)[0] == sum(part[0] for part in parts.values())
    assert score.score(whole, policy, TODAY)[0] == 90.0  # all but pipeline, which it has none of


@pytest.mark.parametrize(
    ("values", "part", "points"),
    [
        ({"segment": "mid_market"}, "segment", 15.0),
        ({"segment": None}, "segment", 0.0),
        ({"employees": 100.0}, "size", 10.0),
        ({"employees": float("nan")}, "size", 0.0),
        ({"distance_mi": 25.0}, "nearness", 10.0),
        ({"distance_mi": 80.0}, "nearness", 0.0),
        ({"distance_mi": float("nan")}, "nearness", 0.0),
        ({"status": "customer"}, "whitespace", 0.0),
        ({"stage": "proposal", "pipeline_usd": 5e5}, "whitespace", 0.0),
        ({"stage": "proposal", "pipeline_usd": 5e5}, "pipeline", 5.0),
        ({"last_activity_on": "2026-10-09"}, "staleness", 5.0),
        ({"last_activity_on": "2026-11-23"}, "staleness", 0.0),
        ({"status": "disqualified"}, "segment", 0.0),
    ],
)
def test_parts(values: dict[str, object], part: str, points: float) -> None:
    assert score.parts(frame(**values), ScorePolicy(), TODAY)[part][0] == pytest.approx(points)


@pytest.mark.parametrize("wrong", [{"size": -1.0}, {"size": float("nan")}, {"far_m": 0.0}])
def test_a_score_policy_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(PolicyError, match="score"):
        ScorePolicy(**wrong)


@pytest.mark.parametrize("column", ["lat", "employees", "website"])
def test_a_change_that_no_import_made_is_on_the_map_too(demo_store: Store, column: str) -> None:
    """New coordinates of an online geocoder, or of newer reference tables, come by no import."""
    before = build.stamp_of(demo_store, TODAY)
    with demo_store.write() as transaction:
        row = transaction.table("prospects", prospect_id="3m")
        transaction.save("prospects", row.head(0), row.assign(**{column: row[column]}))
    assert build.stamp_of(demo_store, TODAY) != before


def test_what_the_map_does_not_show_leaves_it_as_it_is(demo_store: Store) -> None:
    before = build.stamp_of(demo_store, TODAY)
    with demo_store.write() as transaction:
        transaction.set_setting("word", "of no matter")
    assert build.stamp_of(demo_store, TODAY) == before


def test_a_version_with_other_fields_makes_a_snapshot_of_its_own(
    demo_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = build.stamp_of(demo_store, TODAY)
    monkeypatch.setattr(build, "SNAPSHOT_COLUMNS", (*build.SNAPSHOT_COLUMNS, "has_fax"))
    assert build.stamp_of(demo_store, TODAY) != before


FLIPS = ("snapshot.json", "key.npy", "column-rep_id.npy", "text-name.npy", "word-rows.npy")


@pytest.mark.parametrize("name", FLIPS)
@pytest.mark.parametrize("how", ["flipped", "cut", "gone"])
def test_a_damaged_snapshot_is_noticed_and_made_again(
    demo_store: Store, tmp_path: Path, name: str, how: str
) -> None:
    whole = build.ready(demo_store, tmp_path, "2026-11-20")
    path = tmp_path / whole.stamp / name
    data = path.read_bytes()
    middle = len(data) // 2
    path.unlink()  # who has it open keeps it
    if how == "flipped":
        path.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
    elif how == "cut":
        path.write_bytes(data[:middle])
    with pytest.raises(InputError, match="made anew"):
        snapshot.load(tmp_path / whole.stamp)
    again = build.ready(demo_store, tmp_path, "2026-11-20")
    assert path.read_bytes() == data
    assert again.size == whole.size
    assert np.array_equal(again.key, whole.key)


def test_where_no_snapshot_can_be_kept_it_is_in_memory(demo_store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "snapshots"
    folder.write_text("no folder can be made here")
    made = build.ready(demo_store, folder, "2026-11-20")
    assert made.size > 1_000
