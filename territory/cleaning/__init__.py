"""Cells as people write them, read as what they mean: addresses, numbers, dates, names, codes.

Pure functions on columns of text; imports ``reference`` and the ground only. Start at ``columns``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
