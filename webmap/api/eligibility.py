"""``POST /api/v1/eligibility``: decides one home and puts the decision on record.

The body holds an address, so no error repeats a value of it, and the answer has distances in
classes, whoever asks.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from flask import Blueprint, jsonify, request

from territory.eligibility import desk
from territory.eligibility.rules import DECISION_NAMES
from territory.errors import InputError
from webmap import context, security
from webmap.api.fields import HOME, QUESTION
from webmap.api.parameters import LONGEST_VALUE
from webmap.api.resources import challenge
from webmap.hr import decision_request, homes, keep_nowhere

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flask.typing import ResponseReturnValue

    from territory.eligibility.desk import CheckedHome

blueprint = Blueprint("api_eligibility", __name__, url_prefix="/api/v1/eligibility")
blueprint.after_request(keep_nowhere)
blueprint.after_request(challenge)

VERDICT_FIELDS = ("decision", "basis", "remedy", "method", "office_id", "office_name", "precision")


@blueprint.post("")
@security.allows("decide_eligibility", programs=True)
def decide() -> ResponseReturnValue:
    """Decide for one home, and put it on record unless ``record`` is false.

    A home that cannot be decided is an answer too (201) and says what would settle it.
    """
    body = _body()
    home = _home(body.get("home"))
    policy, on = (_text(body, name) for name in ("policy", "on"))
    request_to_decide = decision_request(policy, _day(on))
    is_recorded = body.get("record", True)
    if not isinstance(is_recorded, bool):
        raise InputError("record: must be true or false.")
    if is_recorded:
        recorded = desk.decide_one(context.store(), homes(), home, request_to_decide)
        kept = {
            "decision_id": recorded.decision_id,
            "sha256": recorded.record["sha256"]["all"],
            "address_kept_until": recorded.kept_until,
        }
        return jsonify(**_fields(recorded), **kept), 201
    checked = desk.check_home(context.store(), homes(), home, request_to_decide)
    return jsonify(**_fields(checked), decision_id=None, sha256=None, address_kept_until=None), 200


def _fields(checked: CheckedHome) -> dict[str, Any]:
    """Give what a program is told of an answer, on record or not."""
    policy, asked = checked.exact["policy"], checked.exact["asked"]
    return {
        **{name: checked.verdict[name] for name in VERDICT_FIELDS},
        "verdict": DECISION_NAMES[checked.verdict["decision"]],
        "reason": checked.reason,
        "distance_class": checked.distance_class,
        "policy": policy["name"],
        "policy_version": policy["version"],
        "decided_on": asked["on"],
        "decided_at": asked["at"],
    }


def _body() -> Mapping[str, Any]:
    """Read the body.

    Raises
    ------
    InputError
        If it is no JSON object, or asks for what there is not.
    """
    try:
        body = request.get_json(silent=True)
    except RecursionError:  # nested some thousand times, which nobody means
        body = None
    if not isinstance(body, dict):
        raise InputError('Send JSON, such as {"home": {"postal_code": "80202"}}.')
    _check_names(body, QUESTION["properties"], "body")
    return body


def _check_names(values: Mapping[str, Any], names: Iterable[str], where: str) -> None:
    unknown = len(set(values) - set(names))
    if unknown:
        raise InputError(f"{where}: {unknown} unknown names. There are {', '.join(names)}.")


def _home(values: Any) -> dict[str, str | None]:
    """Read the home: texts, and numbers for lat and lon.

    Raises
    ------
    InputError
        Naming every member that is none; no value is repeated.
    """
    if not isinstance(values, dict):
        raise InputError(f"home: give an object with some of {', '.join(HOME)}.")
    _check_names(values, HOME, "home")
    home = {name: _plain(name, value) for name, value in values.items()}
    wrong = [name for name, value in home.items() if not _is_text(value)]
    if wrong:
        raise InputError(
            f"home: {', '.join(wrong)} must be texts of at most {LONGEST_VALUE} characters, "
            "or null; lat and lon may be numbers."
        )
    return home


def _plain(name: str, value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return repr(value) if name in {"lat", "lon"} and is_number else value


def _is_text(value: Any) -> bool:
    return value is None or (isinstance(value, str) and len(value) <= LONGEST_VALUE)


def _text(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    if not _is_text(value):
        raise InputError(f"{name}: must be a text of at most {LONGEST_VALUE} characters, or null.")
    return value or None


def _day(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        day = dt.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=dt.UTC).date().isoformat()
    except ValueError:
        day = ""
    if day != text:  # one way to write a day, as the document says
        raise InputError("on: that is no day. Write it as 2026-01-31.")
    return day
