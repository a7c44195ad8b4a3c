"""One-time links: to sign in without a password, or to set one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from territory.access.session_ledger import Link, SessionLedger
from territory.access.sessions import fingerprint, new_secret
from territory.access.users import known_user, record_of_user
from territory.errors import ConflictError, InputError
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from datetime import datetime

    from territory.store import Store

LIFETIMES = {"sign_in": timedelta(minutes=15), "reset": timedelta(hours=24)}
LONGEST = timedelta(days=7)
PATH = "/sign-in/link"


@dataclass(frozen=True)
class OneTimeLink:
    """A link as it is shown once: ``secret`` is nowhere else."""

    secret: str = field(repr=False)
    user_id: str
    purpose: str
    loopback_only: bool
    expires_at: str


def make_link(
    store: Store,
    user_id: str,
    purpose: str,
    *,
    by: str,
    now: datetime,
    lifetime: timedelta | None = None,
    loopback_only: bool = True,
) -> OneTimeLink:
    """Make a link that works once: ``sign_in`` opens a session, ``reset`` lets a password be set.

    By default it lasts 15 minutes to sign in, 24 hours to set a password, and opens only from the
    machine that serves the pages. A new link to set a password ends the ones before.

    Raises
    ------
    InputError
        If there is no such purpose, or the link would last too long.
    ConflictError
        If the user is disabled.
    NotFoundError
        If there is no such user.
    """
    if purpose not in LIFETIMES:
        raise InputError(f"No link for {purpose!r}. There are {', '.join(LIFETIMES)}.")
    lasts = LIFETIMES[purpose] if lifetime is None else lifetime
    if not timedelta() < lasts <= LONGEST:
        raise InputError(f"A link lasts {LONGEST.days} days at most, and more than nothing.")
    secret = new_secret()
    link = Link(
        link_hash=fingerprint(secret),
        user_id=user_id,
        purpose=purpose,
        loopback_only=loopback_only,
        created_at=utc_text(now),
        created_by=by,
        expires_at=utc_text(now + lasts),
    )
    with store.write() as transaction:
        if not known_user(transaction, user_id).is_active:
            raise ConflictError("This user is disabled. `territory user disable --undo` ends that.")
        if purpose == "reset":
            SessionLedger(transaction).drop_links(user_id)
        SessionLedger(transaction).add_link(link)
        detail = {"purpose": purpose, "loopback_only": loopback_only, "expires_at": link.expires_at}
        record_of_user(transaction, by, now, "link.make", user_id, detail=detail)
    return OneTimeLink(secret, user_id, purpose, loopback_only, link.expires_at)


def link_address(base_url: str, link: OneTimeLink) -> str:
    """Write a link to be opened in a browser.

    The secret stands behind #, which no browser sends and no server logs.
    """
    return f"{base_url.rstrip('/')}{PATH}#{link.secret}"
