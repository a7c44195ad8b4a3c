"""The Flask app that serves folium maps of the markets.

``create_app(Settings(...))`` makes one; nothing happens at import. A view parses, calls the verb in
the library and renders what it answers.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask
from flask_compress import Compress

from territory.eligibility.desk import Means, upload_files
from territory.errors import InputError
from territory.jobs import tasks
from territory.store import open_store
from webmap import error_handlers, formatting, security
from webmap.account import Company, company_from, manifest, oidc
from webmap.account import sign_in as auth
from webmap.admin import users
from webmap.api import eligibility, resources
from webmap.hr import batches, check, exceptions, planning, policies, self_check
from webmap.maps import assets, basemap, tile_sources
from webmap.operations import duplicates, imports, overview, review
from webmap.pages import jobs, layout, static_files
from webmap.pages import uploads as receiving
from webmap.prospects import activities, exports, map_data, market_page, profile, saved_views
from webmap.security import rate_limits as rates

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_UPLOAD_MB = 1024
DEFAULT_STORE = "sqlite:///var/territory.sqlite"


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


def _megabytes(text: str | None) -> int:
    if text and not (text.isascii() and text.isdigit() and int(text)):
        raise InputError(f"TERRITORY_MAX_UPLOAD_MB={text}: write whole megabytes, such as 1024.")
    return int(text) if text else MAX_UPLOAD_MB


def _proxies(text: str | None) -> int:
    if text and text not in {"0", "1", "2", "3"}:
        raise InputError(f"TERRITORY_PROXIES={text}: write how many of yours, 0 to 3.")
    return int(text) if text else 0


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class Settings:
    """What one app is started with.

    ``var_dir`` holds drawn map tiles, which the app may rebuild at any time, and uploads, which
    it may not; ``warm_up`` makes the snapshot of the plan and the first tiles beside the start
    of the app; ``today`` is what "3 days ago" counts from, and ``now`` is the clock. ``queue``
    is where jobs wait (``job_queue.open_queue``), by default a file in ``var_dir``.
    ``secret_key`` signs cookies; by default it is made once and kept in ``var_dir``.

    Without ``sign_in`` whoever sits at this machine is sales ops; ``hosts`` are the names under
    which other machines ask, by https alone and never without sign-in; ``proxies`` is how many of
    ours stand before the app and say who asks.

    ``homes_url`` is where the home store is, by default a file in ``var_dir``; ``self_check`` opens
    a page on which everybody may ask about a ZIP code, by ``self_check_policy`` where several are
    published. ``company`` is whose sign-on lets people in. ``tiles`` is the company's own base map:
    a file of tiles, or the address of a server, which ``tiles_credit`` gives the credit of.
    """

    store_url: str = DEFAULT_STORE
    var_dir: Path = Path("var")
    warm_up: bool = False
    today: Callable[[], dt.date] = field(default=_today, compare=False)
    now: Callable[[], dt.datetime] = field(default=_now, compare=False)
    max_upload_mb: int = MAX_UPLOAD_MB
    queue: str | None = None
    sign_in: bool = True
    hosts: tuple[str, ...] = ()
    proxies: int = 0
    rate_limits: bool = True
    secret_key: str | None = field(default=None, repr=False)
    homes_url: str | None = field(default=None, repr=False)
    self_check: bool = False
    self_check_policy: str | None = None
    company: Company | None = None
    tiles: str | None = None
    tiles_credit: str | None = None

    def __post_init__(self) -> None:
        if self.hosts and not self.sign_in:
            raise InputError("Other machines are answered only with sign-in. Name no hosts.")

    @property
    def uploads(self) -> Path:
        """Where the files are that were handed in."""
        return self.var_dir / tasks.UPLOADS

    @property
    def home_files(self) -> Path:
        """Where the files of homes are that were handed in, apart from all others."""
        return self.var_dir / upload_files.FOLDER

    @functools.cached_property
    def means(self) -> Means:
        """What decides eligibility beside the store."""
        means = Means.from_environment(self.var_dir.resolve())
        return dataclasses.replace(means, homes_url=self.homes_url) if self.homes_url else means

    @classmethod
    def from_environment(cls) -> Settings:
        """Take what is set of TERRITORY_STORE, _VAR, _QUEUE, _MAX_UPLOAD_MB, _SECRET and so on."""
        return cls(
            store_url=os.environ.get("TERRITORY_STORE") or DEFAULT_STORE,
            var_dir=Path(os.environ.get("TERRITORY_VAR") or "var").resolve(),
            warm_up=True,
            max_upload_mb=_megabytes(os.environ.get("TERRITORY_MAX_UPLOAD_MB")),
            queue=os.environ.get("TERRITORY_QUEUE") or None,
            hosts=tuple(os.environ.get("TERRITORY_HOSTS", "").lower().replace(",", " ").split()),
            proxies=_proxies(os.environ.get("TERRITORY_PROXIES")),
            secret_key=os.environ.get("TERRITORY_SECRET") or None,
            self_check=os.environ.get("TERRITORY_SELF_CHECK") == "1",
            self_check_policy=os.environ.get("TERRITORY_SELF_CHECK_POLICY") or None,
            company=company_from(os.environ),
            tiles=os.environ.get(tile_sources.SETTING) or None,
            tiles_credit=os.environ.get(tile_sources.CREDIT_SETTING) or None,
        )


def create_app(settings: Settings | None = None) -> Flask:
    """Make the app over one store, ready to be served by any WSGI server.

    Raises
    ------
    StoreError
        If the store is out of reach or was written by another version.
    InputError
        If the settings name tiles that cannot be used.
    LookupError
        If a view does not say who may call it.
    """
    settings = settings or Settings.from_environment()
    app = Flask(__name__, static_folder=None)
    app.request_class = receiving.Request
    app.config.from_mapping(
        TERRITORY=settings,
        COMPRESS_MIN_SIZE=600,
        COMPRESS_MIMETYPES=[
            "text/html", "text/css", "text/javascript", "text/csv", "application/json",
            "image/svg+xml",
        ],
    )  # fmt: skip
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    # Both fail now rather than at the first request; each process then opens its own.
    open_store(settings.store_url).close()
    app.extensions["own_tiles"] = tile_sources.tiles_of(settings.tiles, settings.tiles_credit)

    # What is registered last sees a response first: conditional answers and headers are made
    # before the body is compressed.
    Compress(app)
    security.install(app)
    rates.install(app)
    static_files.install(app)
    error_handlers.install(app)
    formatting.install(app)
    layout.install(app)
    manifest.install(app)
    oidc.install(app)
    if settings.warm_up:
        _set_apart(app, settings)
    for module in (
        users, auth, oidc, overview, market_page, exports, map_data, check, exceptions,
        batches, policies, planning, self_check, resources, eligibility, imports, review,
        duplicates, jobs, assets, basemap, profile, activities, saved_views, manifest,
    ):  # fmt: skip
        app.register_blueprint(module.blueprint)
    security.check_declared(app)
    return app


def _set_apart(app: Flask, settings: Settings) -> None:
    """Have heavy work done in a process of its own, where there are Unix sockets."""
    if os.name != "posix":
        return
    from webmap.server import Apart

    app.extensions["apart"] = Apart(settings.store_url, settings.var_dir)
    app.extensions["apart"].begin(settings.today().isoformat())
