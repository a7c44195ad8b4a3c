"""Files in and out: tables, points, polygons and uploads, each format by one well-kept reader.

Imports ``errors`` alone. Start at :func:`read_table` and
:func:`write_table`; :func:`open_source` streams what is too large for them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
