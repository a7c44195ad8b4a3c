"""Policies are frozen, versioned and refuse what they do not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from territory.errors import PolicyError
from territory.plans.plan import policy_json, read_policy_json
from territory.policy import GeocodingPolicy, OnlinePolicy, Policy, ProviderPolicy, read_policy
from territory.units_of_length import METRES_PER_MILE

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
            'name = "x"\n[radius]\nlimit = "40mi"\n[segments]\nenterprise_min_employees = 9\n'
            '[score]\nsize = 40\nfar = "10mi"\n',
        )
    )
    assert policy.radius.limit_m == 40 * METRES_PER_MILE
    assert policy.segments.enterprise_min_employees == 9
    assert (policy.score.size, policy.score.segment) == (40.0, 25.0)
    assert policy.score.far_m == 10 * METRES_PER_MILE
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


ONLINE = """
[geocoding]
city_uncertainty = "8mi"
[geocoding.online]
budget = 50
ask = ["unplaced"]
contact = "ops@example.com"
[[geocoding.online.providers]]
name = "nominatim"
domain = "geo.example.com"
min_delay_s = 0
[[geocoding.online.providers]]
name = "googlev3"
keys = { api_key = "GOOGLE_KEY" }
"""


def test_nobody_is_asked_online_by_default() -> None:
    assert Policy().geocoding.online.providers == ()


def test_online_geocoders_are_read_in_their_order(tmp_path: Path) -> None:
    policy = read_policy(written(tmp_path, ONLINE))
    online = policy.geocoding.online
    assert [provider.name for provider in online.providers] == ["nominatim", "googlev3"]
    assert online.providers[0].domain == "geo.example.com"
    assert online.providers[1].keys == (("api_key", "GOOGLE_KEY"),)
    assert (online.budget, online.ask, online.contact) == (50, ("unplaced",), "ops@example.com")
    assert policy.geocoding.city_uncertainty_m == 8 * METRES_PER_MILE
    hash(policy.geocoding)  # gazetteers are kept by it


def test_the_name_of_a_geocoder_alone_stands_for_its_defaults(tmp_path: Path) -> None:
    path = written(tmp_path, '[geocoding.online]\nproviders = ["photon"]')
    assert read_policy(path).geocoding.online.providers == (ProviderPolicy(name="photon"),)


def test_a_policy_with_geocoders_comes_back_from_its_record(tmp_path: Path) -> None:
    policy = read_policy(written(tmp_path, ONLINE))
    assert read_policy_json(policy_json(policy)) == policy
    assert "GOOGLE_KEY" in policy_json(policy)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ('ask = ["placed"]', "placed"),
        ("budget = -1", "budget = -1"),
        ("min_match_score = 85", "between 0 and 1"),
        ("give_up_after = 0", "give_up_after"),
        ('providers = ["photon", "photon"]', "photon are there twice"),
        ('providers = "photon"', "must be a list"),
        ('providers = ["Google V3"]', "lower case, without blanks"),
        ('providers = [{ domain = "x.example" }]', "without a name"),
        ('providers = [{ name = "photon", min_delay_s = "5mi" }]', "must be a number"),
        ('providers = [{ name = "photon", timeout_s = 0 }]', "timeout_s = 0.0 must be more"),
        ('providers = [{ name = "photon", timeout_s = nan }]', "timeout_s = nan"),
        ('providers = [{ name = "photon", scheme = "ftp" }]', "'ftp'"),
        ('providers = [{ name = "photon", keep_days = -1 }]', "keep_days"),
        ('providers = [{ name = "photon", api_key = "secret" }]', "no setting"),
        ('providers = [{ name = "nominatim", min_delay_s = 0.2 }]', "one question a second"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(tmp_path: Path, setting: str, told: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read_policy(written(tmp_path, f"[geocoding.online]\n{setting}"))
    assert told in str(caught.value)
    assert "secret" not in str(caught.value)
    assert told in str(caught.value)
    assert "secret" not in str(caught.value)


def test_geocoders_chosen_by_name_keep_the_settings_that_the_policy_has_for_them() -> None:
    ours = ProviderPolicy(name="photon", domain="geo.example.com")
    online = OnlinePolicy(providers=(ours, ProviderPolicy(name="arcgis")), budget=7)
    chosen = online.choosing(["herev7", "photon"])
    assert chosen == OnlinePolicy(providers=(ProviderPolicy(name="herev7"), ours), budget=7)
    assert GeocodingPolicy(online=chosen) != GeocodingPolicy(online=online)
