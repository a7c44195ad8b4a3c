"""Online geocoders: asked through geopy once per address, their answers kept and weighed.

Over ``geocoding`` itself, below ``review``. Start in ``answers``, which asks nobody; ``providers``
does, and imports geopy, which is slow.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
