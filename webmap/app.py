"""The app factory: the extensions, the guards and the pages of one app over one store."""

from __future__ import annotations

from flask import Flask
from flask_compress import Compress

from territory.store import open_store
from webmap import error_handlers, formatting, security
from webmap.account import manifest, oidc, sign_in
from webmap.admin import audit_log
from webmap.api import eligibility, resources
from webmap.hr import batches, check, exceptions, planning, policies, self_check
from webmap.maps import assets, basemap, tile_sources
from webmap.operations import duplicates, imports, overview, review
from webmap.pages import jobs, layout, static_files, uploads
from webmap.prospects import activities, exports, map_data, market_page, profile, saved_views
from webmap.security import rate_limits
from webmap.settings import Settings


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
    app = Flask("webmap", static_folder=None)
    app.request_class = uploads.Request
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
    own_tiles = tile_sources.tiles_of(settings.tiles, settings.tiles_credit)
    app.extensions["own_tiles"] = own_tiles
    app.extensions["tile_host"] = getattr(own_tiles, "origin", None)  # for the policy of pages

    # What is registered last sees a response first: conditional answers and headers are made
    # before the body is compressed.
    Compress(app)
    security.install(app)
    rate_limits.install(app)
    static_files.install(app)
    error_handlers.install(app)
    formatting.install(app)
    layout.install(app)
    oidc.install(app)
    for module in (  # audit_log adds its views to the blueprint of users
        audit_log, sign_in, oidc, overview, market_page, exports, map_data, check, exceptions,
        batches, policies, planning, self_check, resources, eligibility, imports, review,
        duplicates, jobs, assets, basemap, profile, activities, saved_views, manifest,
    ):  # fmt: skip
        app.register_blueprint(module.blueprint)
    security.check_declared(app)
    return app
