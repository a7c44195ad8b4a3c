"""People by name: what a record's "by" is called where somebody reads it.

Records hold an id, which stays when a name changes: of a user, or the login of the server's account
that was worked with. Pages, messages and the lines of commands name the person; JSON and files
keep the id.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from territory.access.lockout import NOBODY
from territory.access.user_ledger import UserLedger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from territory.store import Store

_LOGIN = re.compile(r"[a-z_][a-z0-9._-]*")
PROGRAMS = {NOBODY: "Nobody signed in", "sign-on": "Company sign-on"}


def person_name(person_id: str | None, names: Mapping[str, str]) -> str:
    """Give the name of who is on record under an id; empty where nobody is.

    What is written as a login of a machine ("root") is an account of the server, which works at the
    command line or on pages without sign-in; anything else that is no user's id is a name already.

    Parameters
    ----------
    person_id
        An id of a user ("user-2"), a login of the machine ("root"), or a name.
    names
        Names by user_id, as ``person_names`` gives them.
    """
    if not person_id:
        return ""
    known = names.get(person_id) or PROGRAMS.get(person_id)
    return known or (f"{person_id} (server account)" if _LOGIN.fullmatch(person_id) else person_id)


def person_names(store: Store) -> Mapping[str, str]:
    """Give the name of every user by user_id, those who may no longer sign in too.

    Kept while the table of users stands; treat it as frozen.
    """
    return store.cached(
        ("users",), ("person names",), lambda transaction: UserLedger(transaction).names()
    )
