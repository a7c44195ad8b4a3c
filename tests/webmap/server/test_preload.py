"""What is ready before the workers fork."""

from __future__ import annotations

from flask import Flask

from territory import reference
from webmap.maps import assets
from webmap.server.preload import warm


def test_tables_templates_and_scripts_are_there_and_no_store_is_open(app, monkeypatch) -> None:
    fresh = reference.Reference()
    monkeypatch.setattr(reference, "load", lambda: fresh)
    plain = Flask("webmap", static_folder=None)  # an app that has read no template yet
    plain.jinja_env.loader = app.jinja_env.loader
    plain.jinja_env.filters |= app.jinja_env.filters
    plain.jinja_env.globals |= app.jinja_env.globals
    warm(plain)
    assert {"states", "counties", "zip_codes"} <= set(fresh.__dict__)
    assert len(plain.jinja_env.cache) == len(plain.jinja_env.list_templates())
    scripts = [one for one in assets.library().values() if "brotli" in one.__dict__]
    assert {"leaflet", "map"} <= {one.name.rsplit("-", 1)[0] for one in scripts}
    assert not plain.extensions  # a store is opened by a request, and kept there
