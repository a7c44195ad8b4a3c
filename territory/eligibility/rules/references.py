"""References of people: what may stand for a person, and which two are of the same one."""

from __future__ import annotations

import re
import unicodedata

from territory.errors import InputError

_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}")
HOW_TO_REFER = (
    "Give an id such as E-1042: up to 64 letters, digits and . _ : / -, with a digit among them; "
    "no name, no e-mail address, no spaces."
)


def read_reference(text: object) -> str | None:
    """Read the reference of a person; None where a value may be a name, an address, or nothing.

    Blanks and the full-width letters and digits of Asian keyboards are read as the plain ones.
    """
    if not isinstance(text, str):
        return None
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    is_id = _REFERENCE.fullmatch(plain) and any(sign.isdigit() for sign in plain)
    # "Jane Doe 2" is no id: what had words keeps them.
    return plain if is_id and len(text.split()) == 1 else None


def is_reference(text: object) -> bool:
    """Whether a value is a text that can stand for a person without naming them."""
    return read_reference(text) is not None


def check_reference(text: str) -> str:
    """Give a reference as it is read; ``InputError`` if it might be a name or an address."""
    reference = read_reference(text)
    if reference is None:
        raise InputError(f"The reference of the person is no id. {HOW_TO_REFER}")
    return reference


def same_person(reference: str) -> str:
    """Give what two references, or parts of them, have in common that are of one person."""
    return unicodedata.normalize("NFKC", reference).casefold()
