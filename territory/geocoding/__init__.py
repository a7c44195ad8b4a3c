"""Geocoding: from an address or coordinates to a point with precision and uncertainty.

Over plans and the reference tables; below imports and eligibility. Start in ``geocode.place``;
``gazetteer`` answers offline, ``online`` by providers, and ``review`` is where people decide.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
