"""Pages of sales operations: overview and findings, imports, the geocode review, duplicates.

Imports the library, ``maps`` and the shared pages. Start in ``overview``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
