"""Geocode review: rows whose place needs a person, runs of online geocoders, new reference data.

Over ``geocoding`` and ``geocoding.online``. Start in ``placement.settle``, which every import
calls, and ``places``, the verbs of a reviewer.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
