"""Files screened without a store, as a stream: the nearest office of every row.

Imports ``imports``, ``geocoding``, ``geodesy`` and ``files``. Start at :func:`screen`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
