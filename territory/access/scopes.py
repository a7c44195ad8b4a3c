"""Roles and row-level scopes: who may do what, and whose rows each may see. Pure.

A role is a set of capabilities and nothing else. Whoever has several roles has the capabilities of
each over the rows of each: a viewer who is a rep too reads every account, but only the contacts of
the own ones. ``scope_of`` says which rows that makes, and a query or a frame is narrowed by it
before anything leaves the store.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.errors import InputError, PolicyError, TerritoryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt
    import pandas as pd

ROLES = ("admin", "ops", "manager", "rep", "hr", "viewer")
_COMMON = {"see_sums", "check_own_home"}
_READING = frozenset({"see_accounts_all", "see_accounts_own"})
_SELLING = {
    "see_accounts_own", "see_contacts", "see_pipeline", "see_findings", "work_accounts",
    "export_accounts", "save_views",
}  # fmt: skip
CAPABILITIES: Mapping[str, frozenset[str]] = {
    # Runs the system and names its users; reads no account, no contact and no home.
    "admin": frozenset(_COMMON | {"manage_users", "manage_settings", "see_audit", "purge_audit"}),
    "ops": frozenset(
        _COMMON
        | {
            "see_accounts_all", "see_contacts", "see_pipeline", "see_findings", "work_accounts",
            "export_accounts", "save_views", "import_data", "review_places", "see_drafts",
            "draft_plans", "publish_plans", "set_access_policy",
        }
    ),
    "manager": frozenset(_COMMON | _SELLING),  # of the reps managed
    "rep": frozenset(_COMMON | _SELLING),  # of the own territories in the published plan
    "hr": frozenset(
        _COMMON
        | {"decide_eligibility", "see_decisions", "see_homes", "set_eligibility_policy"}
    ),
    "viewer": frozenset(
        _COMMON | {"see_accounts_all", "see_pipeline", "see_findings", "save_views"}
    ),
}  # fmt: skip
# What a program may be trusted with: no home, no user and no log is read with a token. Each opens
# part of the API or files to download; files are brought in by people, who see what would change.
TOKEN_SCOPES = frozenset(
    {
        "see_sums", "see_accounts_all", "see_accounts_own", "see_contacts", "see_pipeline",
        "see_findings", "export_accounts", "decide_eligibility",
    }
)  # fmt: skip
# What shows of another rep's account where the policy lets names be seen.
NAME_COLUMNS = ("prospect_id", "name", "rep_id", "rep_name")
PIPELINE_COLUMNS = ("stage", "pipeline_usd", "last_activity_on", "quota_usd")


_DAY_S = 86_400
_BOUNDS = {
    "session_idle_s": (60, _DAY_S),
    "session_max_s": (60, 7 * _DAY_S),
    "account_attempts": (1, 100),
    "address_attempts": (1, 10_000),
    "lock_s": (1, _DAY_S),
    "lock_max_s": (1, _DAY_S),
    "password_min_length": (8, 64),
}


class DeniedError(TerritoryError):
    """Raised when the one who asks may not. The message names the capability that is missing."""


@dataclass(frozen=True)
class AccessPolicy:
    """The settings of access that differ between companies; times in seconds.

    ``reps_see_names`` lets reps and managers see the names of accounts that are not theirs.
    A session ends ``session_idle_s`` after it was last seen, and ``session_max_s`` after sign-in
    whatever is done. After ``account_attempts`` failures of one account, or ``address_attempts``
    from one address, nobody is let in for ``lock_s``, twice that after the next, ``lock_max_s`` at
    most.
    """

    reps_see_names: bool = False
    session_idle_s: int = 2 * 3600
    session_max_s: int = 12 * 3600
    account_attempts: int = 5
    address_attempts: int = 20
    lock_s: int = 30
    lock_max_s: int = 15 * 60
    password_min_length: int = 12

    def __post_init__(self) -> None:
        values: dict[str, Any] = dataclasses.asdict(self)
        breaches = [
            f"{name} = {values[name]!r}: must be a whole number from {least:,} to {most:,}"
            for name, (least, most) in _BOUNDS.items()
            if type(values[name]) is not int or not least <= values[name] <= most
        ]
        if not isinstance(values["reps_see_names"], bool):
            breaches.append(f"reps_see_names = {self.reps_see_names!r}: must be true or false")
        if breaches:
            raise PolicyError(f"Access policy: {'; '.join(breaches)}.")

    def lock_for_s(self, failures: int, attempts: int) -> int:
        """How long the door stays shut after the latest of ``failures``, 0 while it stays open."""
        if failures < attempts:
            return 0
        doublings = min(failures - attempts, 32)
        return min(self.lock_s << doublings, self.lock_max_s)

    def as_json(self) -> str:
        """The policy as the store keeps it."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)


def read_access_policy(text: str | None) -> AccessPolicy:
    """Read what ``AccessPolicy.as_json`` wrote; None is the default policy."""
    return AccessPolicy(**json.loads(text)) if text else AccessPolicy()


@dataclass(frozen=True)
class Reach:
    """Whose rows: those of every rep and of none (``is_all``), or those of ``rep_ids`` alone."""

    is_all: bool = False
    rep_ids: frozenset[str] = frozenset()

    def holds(self, rep_id: str | None) -> bool:
        """Whether a row of this rep (None: of nobody) is within reach."""
        return self.is_all or rep_id in self.rep_ids

    def mask(self, rep_ids: pd.Series) -> npt.NDArray[np.bool_]:
        """Tell for each row, by its rep, whether it is within reach."""
        if self.is_all:
            return np.ones(len(rep_ids), dtype=bool)
        return np.asarray(rep_ids.isin(list(self.rep_ids)), dtype=bool)

    def __or__(self, other: Reach) -> Reach:
        return Reach(self.is_all or other.is_all, self.rep_ids | other.rep_ids)

    def __and__(self, other: Reach) -> Reach:
        if self.is_all or other.is_all:
            return other if self.is_all else self
        return Reach(rep_ids=self.rep_ids & other.rep_ids)


EVERYTHING = Reach(is_all=True)
NOTHING = Reach()


@dataclass(frozen=True)
class Scope:
    """Which rows may leave the store: accounts, and of those contacts, pipeline and exports.

    Where ``names_beyond``, accounts out of reach show by ``NAME_COLUMNS`` alone; else not at all.
    ``sums`` are rows that count in totals and yet do not show.
    """

    accounts: Reach = NOTHING
    contacts: Reach = NOTHING
    pipeline: Reach = NOTHING
    exports: Reach = NOTHING
    names_beyond: bool = False
    sums: Reach = NOTHING

    @classmethod
    def everything(cls) -> Scope:
        """For the command line and other callers who hold the store itself."""
        return cls(EVERYTHING, EVERYTHING, EVERYTHING, EVERYTHING, sums=EVERYTHING)

    @property
    def counted(self) -> Reach:
        """Whose accounts are counted: those that show, and those of ``sums``."""
        return self.accounts | self.sums

    @property
    def money(self) -> Reach:
        """Whose opportunities and quotas show and are summed."""
        return self.accounts & self.pipeline

    @property
    def people(self) -> Reach:
        """Whose contacts show."""
        return self.accounts & self.contacts

    @property
    def exported(self) -> Scope:
        """What of this may leave as a file: no row, name or contact beyond ``exports``."""
        return dataclasses.replace(self, accounts=self.accounts & self.exports, names_beyond=False)


@dataclass(frozen=True)
class Viewer:
    """Who asks. ``scopes`` limits a token to those capabilities; None is a person signed in."""

    user_id: str
    name: str
    roles: frozenset[str]
    rep_id: str | None = None
    managed_rep_ids: frozenset[str] = frozenset()
    scopes: frozenset[str] | None = None


def can(viewer: Viewer | None, capability: str) -> bool:
    """Whether the viewer has the capability, for whichever rows; None is nobody and has none."""
    return any(capability in _capabilities(viewer, role) for role in _roles(viewer))


def reach_of(viewer: Viewer | None, capability: str) -> Reach:
    """Say over whose rows the viewer has a capability, each role counted by itself."""
    reach = NOTHING
    for role in _roles(viewer):
        capabilities = _capabilities(viewer, role)
        if capability in capabilities:
            reach |= _rows(viewer, role, capabilities)
    return reach


def scope_of(viewer: Viewer | None, policy: AccessPolicy) -> Scope:
    """Say which rows of the published plan the viewer may see."""
    accounts = reach_of(viewer, "see_accounts_all") | reach_of(viewer, "see_accounts_own")
    return Scope(
        accounts=accounts,
        contacts=reach_of(viewer, "see_contacts"),
        pipeline=reach_of(viewer, "see_pipeline"),
        exports=reach_of(viewer, "export_accounts"),
        names_beyond=policy.reps_see_names and bool(accounts.rep_ids) and not accounts.is_all,
        sums=_sums(viewer),
    )


def _sums(viewer: Viewer | None) -> Reach:
    """Say what each role counts: the rows it could read, or everything if it reads none at all."""
    reach = NOTHING
    for role in _roles(viewer):
        if "see_sums" in _capabilities(viewer, role):
            whole = CAPABILITIES[role]
            reach |= _rows(viewer, role, whole) if whole & _READING else EVERYTHING
    return reach


def _roles(viewer: Viewer | None) -> frozenset[str]:
    return viewer.roles & CAPABILITIES.keys() if viewer else frozenset()


def _capabilities(viewer: Viewer | None, role: str) -> frozenset[str]:
    capabilities = CAPABILITIES[role]
    return capabilities if viewer is None or viewer.scopes is None else capabilities & viewer.scopes


def _rows(viewer: Viewer | None, role: str, capabilities: frozenset[str]) -> Reach:
    """Say whose rows a role reads: one that reads no accounts reads nothing about them either."""
    if "see_accounts_all" in capabilities:
        return EVERYTHING
    if viewer is None or "see_accounts_own" not in capabilities:
        return NOTHING
    if role == "manager":
        return Reach(rep_ids=viewer.managed_rep_ids)
    return Reach(rep_ids=frozenset({viewer.rep_id} - {None}))  # type: ignore[arg-type]


def narrow(frame: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """Leave of a frame with ``rep_id`` what the scope lets out, in the order given.

    Rows out of reach go, or keep ``NAME_COLUMNS`` alone where names may be seen. The pipeline
    columns of rows out of the pipeline's reach are blank.
    """
    own = scope.accounts.mask(frame["rep_id"])
    is_listed = np.ones(len(frame), dtype=bool) if scope.names_beyond else own
    seen, own = frame[is_listed].copy(), own[is_listed]
    deals = scope.pipeline.mask(seen["rep_id"]) & own
    for name in seen.columns:
        is_open = deals if name in PIPELINE_COLUMNS else own
        if name not in NAME_COLUMNS and not is_open.all():
            seen[name] = seen[name].where(is_open, _blank(seen[name]))
    return seen.reset_index(drop=True)


def _blank(column: pd.Series) -> float | None:
    return None if column.dtype == object else np.nan


@dataclass(frozen=True)
class GroupRoles:
    """Which roles the groups of a company's sign-on give: pairs of a group and one of ``ROLES``."""

    rules: tuple[tuple[str, str], ...] = field(default=())

    def __post_init__(self) -> None:
        check_roles(role for _, role in self.rules)

    def roles_of(self, groups: Iterable[str]) -> frozenset[str]:
        """Give the roles of someone in these groups; a group is compared to the letter."""
        names = set(groups)
        return frozenset(role for group, role in self.rules if group in names)


def check_roles(roles: Iterable[str]) -> frozenset[str]:
    """Give the roles back as a set.

    Raises
    ------
    InputError
        Naming every one that is none of ``ROLES``.
    """
    names = frozenset(roles)
    if unknown := sorted(names - set(ROLES)):
        raise InputError(f"No role {', '.join(map(repr, unknown))}. There are {', '.join(ROLES)}.")
    return names


def network_of(address: str | None) -> str:
    """Name what one party holds: an IPv4 address, or the /64 of an IPv6 one; "unknown" for none."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, 64), strict=False))
