"""Policies are frozen, versioned and refuse what they do not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from territory.errors import PolicyError
from territory.lengths import METRES_PER_MILE
from territory.policy import Policy, read_policy

if TYPE_CHECKING:
    from pathlib import Path

NAN = float("nan")


def written(folder: Path, text: str) -> Path:
    path = folder / "policy.toml"
    path.write_text(text)
    return path


def test_a_file_changes_only_what_it_names(tmp_path: Path) -> None:
    policy = read_policy(
        written(
            tmp_path,
            'name = "x"\n[radius]\nlimit = "40mi"\n[segments]\nenterprise_min_employees = 9\n',
        )
    )
    assert policy.radius.limit_m == 40 * METRES_PER_MILE
    assert policy.segments.enterprise_min_employees == 9
    assert policy.geocoding == Policy().geocoding


def test_every_breach_is_named_at_once(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        'colour = 1\n[radius]\nlimit = "-5mi"\n[segments]\nenterprise_min_employees = "many"\n',
    )
    with pytest.raises(PolicyError) as caught:
        read_policy(path)
    for word in ("colour", "-5mi", "many", "policy.toml"):
        assert word in str(caught.value)


def test_a_rule_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="nearest_moon"):
        read_policy(written(tmp_path, 'precedence = ["nearest_moon"]'))


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"policy\.toml"):
        read_policy(written(tmp_path, "[radius"))
    with pytest.raises(PolicyError, match="absent"):
        read_policy(tmp_path / "absent.toml")


def test_the_larger_figure_decides_the_segment() -> None:
    segments = Policy().segments
    assert segments.classify([5, 200, NAN, 5, 1000], [2e9, 1, NAN, 1e6, NAN]).tolist() == [
        "enterprise",
        "mid_market",
        "unknown",
        "small",
        "enterprise",
    ]
