"""Passwords: hashed under Argon2id, checked, and refused where they are easily guessed."""

from __future__ import annotations

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from territory.errors import InputError

LONGEST = 1_024  # characters: more is an attack on the time that hashing takes
FEWEST_DIFFERENT = 5
# Of 32 random bytes that nobody kept, under the same parameters as real ones (a test holds that):
# an unknown user costs what a wrong password costs.
NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$2UTpLEQW/ZCEHIjJi1GG/Q$"
    "2AasVQE5PSB1cS2HU6vXR6vpuCcdoVpwix7bYu6I3T0"
)


def hash_password(password: str) -> str:
    """Hash a password under RFC 9106's second recommended parameters, with a salt of its own."""
    return _hasher().hash(_as_bytes(password))


def is_right(password_hash: str | None, password: str) -> bool:
    """Whether a password is the one hashed; None is nobody's: as slow, and never right."""
    if len(password) > LONGEST:
        return False
    try:
        _hasher().verify(password_hash or NOBODY, _as_bytes(password))
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def is_dated(password_hash: str) -> bool:
    """Whether a hash was made under other parameters than today's."""
    return _hasher().check_needs_rehash(password_hash)


def check_password(password: str, *, least: int, names: tuple[str, ...]) -> None:
    """Refuse a password that is easily guessed.

    Parameters
    ----------
    least
        Characters that it must have.
    names
        What it must not contain: the login and the name of the user.

    Raises
    ------
    InputError
        Naming everything that is wrong, never the password.
    """
    folded = _folded(password)
    breaches = []
    if len(folded) < least:
        breaches.append(f"it has {len(folded)} characters and needs {least}")
    if len(folded) > LONGEST:
        breaches.append(f"it has more than {LONGEST:,} characters")
    if len(set(folded)) < FEWEST_DIFFERENT:
        breaches.append(f"it has fewer than {FEWEST_DIFFERENT} different characters")
    parts = {part for name in names for part in (name, *name.replace("@", " ").split())}
    if any(len(part) > 2 and part.casefold() in folded.casefold() for part in parts):
        breaches.append("it contains the login or the name")
    if breaches:
        raise InputError(f"Choose another password: {'; '.join(breaches)}.")


def _hasher() -> PasswordHasher:
    return PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)


def _as_bytes(text: str) -> bytes:
    # What JSON lets through may be half a character: wrong, but no reason to fall over.
    return _folded(text).encode("utf-8", "surrogatepass")


def _folded(password: str) -> str:
    """Write the same characters the same way, whatever the keyboard (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", password)
