"""Settings: what one app is started with, read from the environment."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import ipaddress
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from territory.access import GroupRoles
from territory.eligibility.desk import EligibilitySettings, upload_files
from territory.errors import InputError
from territory.jobs import tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_UPLOAD_MB = 1024
DEFAULT_STORE = "sqlite:///var/territory.sqlite"


TILES, TILES_CREDIT = "TERRITORY_TILES", "TERRITORY_TILES_CREDIT"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class OidcSettings:
    """A company's OpenID provider and what its groups may here.

    ``groups`` None: an admin links identities to users and gives roles. ``groups_claim`` is where
    the provider says the groups, in the ID token or else in its userinfo.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    groups_claim: str = "groups"
    groups: GroupRoles | None = None

    def __post_init__(self) -> None:
        breaches = [
            f"{name} is not set"
            for name in ("issuer", "client_id", "client_secret", "groups_claim")
            if not getattr(self, name)
        ]
        if self.issuer and not is_safe(self.issuer):
            breaches.append(f"issuer {self.issuer!r}: must be an https address")
        if breaches:
            raise InputError(f"Company sign-on: {'; '.join(breaches)}. See docs/security.md.")


def oidc_settings_from(environ: Mapping[str, str]) -> OidcSettings | None:
    """Take TERRITORY_OIDC_ISSUER, _CLIENT_ID, _CLIENT_SECRET, _GROUPS_CLAIM and _GROUPS.

    None where none of the first three is set.

    Raises
    ------
    InputError
        Naming all that is missing or wrong.
    """
    issuer, client_id, secret = (
        environ.get(f"TERRITORY_OIDC_{name}", "").strip()
        for name in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET")
    )
    if not (issuer or client_id or secret):
        return None
    return OidcSettings(
        issuer,
        client_id,
        secret,
        environ.get("TERRITORY_OIDC_GROUPS_CLAIM", "").strip() or "groups",
        read_groups(environ.get("TERRITORY_OIDC_GROUPS", "")),
    )


def read_groups(text: str) -> GroupRoles | None:
    """Read which role each group gives: "Sales Ops=ops; Sales=rep; Sales=viewer", None for "".

    Rules are parted by ";" or line; the last "=" parts group and role, since the names of groups
    may hold that sign too.

    Raises
    ------
    InputError
        Naming a rule that is none, or a role there is not.
    """
    rules = [line.strip() for line in text.replace(";", "\n").splitlines() if line.strip()]
    pairs = []
    for rule in rules:
        group, _, role = rule.rpartition("=")
        if not group.strip():
            raise InputError(f"TERRITORY_OIDC_GROUPS: {rule!r} is no rule such as 'Sales Ops=ops'.")
        pairs.append((group.strip(), role.strip()))
    return GroupRoles(tuple(pairs)) if pairs else None


def is_safe(address: object) -> bool:
    """Whether an address is asked by TLS, or is of this machine."""
    if not isinstance(address, str):
        return False
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return False
    is_near = parts.scheme == "http" and host in LOOPBACK
    return bool(host) and (parts.scheme == "https" or is_near)


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


def _megabytes(text: str | None) -> int:
    if text and not (text.isascii() and text.isdigit() and int(text)):
        raise InputError(f"TERRITORY_MAX_UPLOAD_MB={text}: write whole megabytes, such as 1024.")
    return int(text) if text else MAX_UPLOAD_MB


def read_proxies(text: str) -> tuple[str, ...]:
    """Read addresses and networks of proxies, parted by comma or blank.

    Raises
    ------
    InputError
        Naming one that is neither.
    """
    names = tuple(text.replace(",", " ").split())
    for name in names:
        try:
            ipaddress.ip_network(name)
        except ValueError:
            raise InputError(
                f"TERRITORY_PROXIES={name}: write the addresses or networks of your proxies, such "
                "as 127.0.0.1 or 10.0.0.0/24."
            ) from None
    return names


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class Settings:
    """What one app is started with.

    ``var_dir`` holds drawn map tiles, which the app may rebuild at any time, and uploads, which
    it may not; ``today`` is what "3 days ago" counts from, and ``now`` is the clock. ``queue`` is
    where jobs give heartbeats (``jobs.open_heartbeats``), by default a file in ``var_dir``.
    ``secret_key`` signs cookies; by default it is made once and kept in ``var_dir``.

    Without ``sign_in`` whoever sits at this machine is sales ops; ``hosts`` are the names under
    which other machines ask, by https alone and never without sign-in; ``proxies`` are the
    addresses and networks of ours that stand before the app and say who asks.

    ``homes_url`` is where the home store is, by default a file in ``var_dir``; ``self_check`` opens
    a page on which everybody may ask about a ZIP code, by ``self_check_policy`` where several are
    published. ``oidc`` is whose sign-on lets people in. ``tiles`` is the company's own base map:
    a file of tiles, or the address of a server, which ``tiles_credit`` gives the credit of.
    """

    store_url: str = field(default=DEFAULT_STORE, repr=False)
    var_dir: Path = Path("var")
    today: Callable[[], dt.date] = field(default=_today, compare=False)
    now: Callable[[], dt.datetime] = field(default=_now, compare=False)
    max_upload_mb: int = MAX_UPLOAD_MB
    queue: str | None = field(default=None, repr=False)
    sign_in: bool = True
    hosts: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    rate_limits: bool = True
    secret_key: str | None = field(default=None, repr=False)
    homes_url: str | None = field(default=None, repr=False)
    self_check: bool = False
    self_check_policy: str | None = None
    oidc: OidcSettings | None = None
    tiles: str | None = None
    tiles_credit: str | None = None

    def __post_init__(self) -> None:
        if self.hosts and not self.sign_in:
            raise InputError("Other machines are answered only with sign-in. Name no hosts.")

    @property
    def uploads(self) -> Path:
        """Where the files are that were handed in."""
        return self.var_dir / tasks.UPLOADS

    @property
    def home_files(self) -> Path:
        """Where the files of homes are that were handed in, apart from all others."""
        return self.var_dir / upload_files.FOLDER

    @functools.cached_property
    def eligibility(self) -> EligibilitySettings:
        """What decides eligibility beside the store."""
        settings = EligibilitySettings.from_environment(self.var_dir.resolve())
        if not self.homes_url:
            return settings
        return dataclasses.replace(settings, homes_url=self.homes_url)

    @classmethod
    def from_environment(cls) -> Settings:
        """Take what is set of TERRITORY_STORE, _VAR, _QUEUE, _MAX_UPLOAD_MB, _SECRET and so on."""
        return cls(
            store_url=os.environ.get("TERRITORY_STORE") or DEFAULT_STORE,
            var_dir=Path(os.environ.get("TERRITORY_VAR") or "var").resolve(),
            max_upload_mb=_megabytes(os.environ.get("TERRITORY_MAX_UPLOAD_MB")),
            queue=os.environ.get("TERRITORY_QUEUE") or None,
            hosts=tuple(os.environ.get("TERRITORY_HOSTS", "").lower().replace(",", " ").split()),
            proxies=read_proxies(os.environ.get("TERRITORY_PROXIES", "")),
            secret_key=os.environ.get("TERRITORY_SECRET") or None,
            self_check=os.environ.get("TERRITORY_SELF_CHECK") == "1",
            self_check_policy=os.environ.get("TERRITORY_SELF_CHECK_POLICY") or None,
            oidc=oidc_settings_from(os.environ),
            tiles=os.environ.get(TILES) or None,
            tiles_credit=os.environ.get(TILES_CREDIT) or None,
        )
