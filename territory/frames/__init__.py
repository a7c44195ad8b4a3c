"""Frames: the verbs of the library for people who work with GeoDataFrames; no store is needed.

Each takes a frame in any CRS and gives it back with its index, columns and CRS, and new columns
after them. They call the same pure functions as the store's verbs. Start at ``verbs``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
