"""The home store of this app and the questions that its pages ask of the desk."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flask import current_app

from webmap import context, security

if TYPE_CHECKING:
    from territory.eligibility.desk import Question
    from territory.eligibility.homes import Homes


def homes() -> Homes:
    """Give the home store, opened once per process: connections do not survive a fork."""
    held: dict[int, Homes] = current_app.extensions.setdefault("homes", {})
    if os.getpid() not in held:
        held[os.getpid()] = context.settings().means.open_homes()
    return held[os.getpid()]


def question(policy_name: str | None = None, on: str | None = None) -> Question:
    """Ask as whoever is signed in, now, by the areas and roads that are set up."""
    return context.settings().means.question(
        by=security.person(), now=context.now(), policy_name=policy_name, on=on
    )
