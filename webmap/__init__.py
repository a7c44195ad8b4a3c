"""The Flask app that serves folium maps of the markets.

``create_app(Settings(...))`` makes one; nothing happens at import. A view parses, calls the verb in
``territory.workflow`` and renders what it answers.
"""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask
from flask_compress import Compress

from territory.store import open_store
from webmap import assets, basemap, failures, ops, rep, security, shell, statics, warmup, wording

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_STORE = "sqlite:///var/territory.sqlite"


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


@dataclass(frozen=True)
class Settings:
    """What one app is started with.

    ``var_dir`` holds what the app may rebuild at any time, such as drawn map tiles; ``warm_up``
    draws the first of them as soon as the app is asked for anything; ``today`` is what "3 days ago"
    counts from.
    """

    store_url: str = DEFAULT_STORE
    var_dir: Path = Path("var")
    warm_up: bool = False
    today: Callable[[], dt.date] = field(default=_today, compare=False)

    @classmethod
    def from_environment(cls) -> Settings:
        """Take ``TERRITORY_STORE`` and ``TERRITORY_VAR`` where they are set."""
        return cls(
            store_url=os.environ.get("TERRITORY_STORE") or DEFAULT_STORE,
            var_dir=Path(os.environ.get("TERRITORY_VAR") or "var"),
            warm_up=True,
        )


def create_app(settings: Settings | None = None) -> Flask:
    """Make the app over one store, ready to be served by any WSGI server.

    Raises
    ------
    StoreError
        If the store is out of reach or was written by another version.
    """
    settings = settings or Settings.from_environment()
    app = Flask(__name__, static_folder=None)
    app.config.from_mapping(
        TERRITORY=settings,
        # Nothing is uploaded yet: a body larger than this is a mistake or an attack.
        MAX_CONTENT_LENGTH=64 * 1024,
        COMPRESS_MIN_SIZE=600,
        COMPRESS_MIMETYPES=[
            "text/html", "text/css", "text/javascript", "text/csv", "application/json",
            "image/svg+xml",
        ],
    )  # fmt: skip
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    # Fails now rather than at the first request; each process then opens its own.
    open_store(settings.store_url).close()

    # What is registered last sees a response first: conditional answers and headers are made
    # before the body is compressed.
    Compress(app)
    security.install(app)
    statics.install(app)
    failures.install(app)
    wording.install(app)
    shell.install(app)
    if settings.warm_up:
        warmup.install(app, settings.var_dir)
    for module in (ops, rep, assets, basemap):
        app.register_blueprint(module.blueprint)
    return app
