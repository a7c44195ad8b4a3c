"""Markets: their outlines from units or polygons, which holds a point, and how big each is.

Imports ``geodesy``, ``reference`` and ``schemas``. Start at :func:`define` (units to outlines) and
:func:`locate` (points to markets).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
