"""Events of the audit log as sentences: who did what to whom, with names where there are names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

# What was done, by action; "{it}" is what it was done to.
_PHRASES = {
    "access.denied": "was refused the page {it}",
    "access_policy.set": "changed the privacy settings",
    "account.merge": "merged {it}",
    "audit.export": "exported the audit log",
    "audit.purge": "purged details of the audit log up to event {id}",
    "eligibility.decide": "decided eligibility: {it}",
    "eligibility.download": "downloaded eligibility results: {it}",
    "eligibility.measures_moved": "moved exact distances of earlier decisions to the home store",
    "eligibility.purge": "purged home addresses: {it}",
    "geocode.answers": "looked up addresses online: {it}",
    "identity.link": "linked {it} to company sign-on",
    "identity.unlink": "unlinked {it} from company sign-on",
    "import.commit": "imported {it}",
    "import.undo": "undid {it}",
    "link.make": "made a one-time link for {it}",
    "link.refused": "tried a one-time link that does not work",
    "next_step.done": "finished a next step: {it}",
    "next_step.reopen": "reopened a next step: {it}",
    "next_step.set": "set a next step: {it}",
    "note.add": "added a note: {it}",
    "note.take_back": "deleted a note: {it}",
    "plan.publish": "published {it}",
    "rows.export": "exported {it}",
    "session.end": "signed out",
    "session.locked": "was locked out after too many failed sign-in attempts: {it}",
    "session.refused": "failed to sign in: {it}",
    "session.revoke": "signed {it} out everywhere",
    "session.start": "signed in",
    "tables.update": "updated the reference tables",
    "token.new": "made an API token: {it}",
    "token.revoke": "revoked an API token: {it}",
    "user.add": "added {it} as a user",
    "user.disable": "deactivated {it}",
    "user.enable": "reactivated {it}",
    "user.password": "changed the password of {it}",
    "user.reset": "set a new password for {it}",
    "user.roles": "changed the roles of {it}",
}


def sentence(event: Mapping[Any, Any], names: Mapping[str, str]) -> str:
    """Say in one sentence what an event of the log records.

    Parameters
    ----------
    event
        A row of ``audit_log.search``: ``by``, ``action``, ``subject_kind`` and ``subject_id``.
    names
        What each user is called, by id. Whoever is in no user list keeps the id on record.
    """
    who = names.get(event["by"], event["by"])
    subject_id, kind = str(event["subject_id"]), str(event["subject_kind"]).replace("_", " ")
    if event["subject_kind"] == "user":
        name = names.get(subject_id, subject_id)
        thing = "themselves" if subject_id == event["by"] else name
    else:
        thing = subject_id if subject_id.startswith(kind) else f"{kind} {subject_id}"
    verb, _, what = str(event["action"]).replace("_", " ").partition(".")
    phrase = _PHRASES.get(event["action"], f"{what or 'did'} ({verb}): {{it}}")
    return f"{who} {phrase.format(it=thing, id=subject_id)}."


def sentences(events: Iterable[Mapping[Any, Any]], names: Mapping[str, str]) -> list[str]:
    """Say of each event what it records, in the order given."""
    return [sentence(event, names) for event in events]
