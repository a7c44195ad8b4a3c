"""Every address of an app, as the app itself knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.routing import Rule

IDS = {
    "market_id": "M-BAY", "prospect_id": "3m", "name": "no-such-1.js", "filename": "app.css",
    "scheme": "light", "z": 3, "x": 1, "y": 2, "dense": "", "upload_id": "0" * 16,
    "import_id": "import-1", "job_id": "job-0", "kind": "prospects", "suffix": "csv",
    "user_id": "user-999", "token_id": "token-999",
}  # fmt: skip
ANY = {"int": 1, "float": 1.0, "uuid": "00000000-0000-4000-8000-000000000000"}


def rules(app: Flask) -> list[Rule]:
    """Every rule, in the order of its endpoint."""
    return sorted(app.url_map.iter_rules(), key=lambda rule: (rule.endpoint, rule.rule))


def path_of(app: Flask, rule: Rule, **ids: object) -> str:
    """One address of a rule, with ids of the demo where they are known."""
    given = {
        name: {**IDS, **ids}.get(name, ANY.get(_kind(rule, name), "none-1"))
        for name in rule.arguments
    }
    with app.test_request_context():
        return app.url_map.bind("localhost").build(rule.endpoint, given)


def _kind(rule: Rule, name: str) -> str:
    return (
        type(rule._converters[name])
        .__name__.removesuffix("Converter")
        .lower()
        .replace("integer", "int")
    )
