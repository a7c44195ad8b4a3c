"""Homes: addresses of people, cleaned and placed, and the store that alone keeps them.

Imports ``cleaning``, ``geocoding``, ``imports`` and ``store``; nobody else reads its tables.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
