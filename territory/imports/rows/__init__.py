"""Rows: the cells of a file read, cleaned and refused, one contract row for each row of the file.

Imports headers, cleaning, files, geocoding and markets. Start in ``contract``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
