"""The settings of a company's sign-on: its OpenID provider, and what its groups may here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from territory.access import GroupRoles
from territory.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Company:
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


def company_from(environ: Mapping[str, str]) -> Company | None:
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
    return Company(
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
    found = []
    for rule in rules:
        group, _, role = rule.rpartition("=")
        if not group.strip():
            raise InputError(f"TERRITORY_OIDC_GROUPS: {rule!r} is no rule such as 'Sales Ops=ops'.")
        found.append((group.strip(), role.strip()))
    return GroupRoles(tuple(found)) if found else None


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
