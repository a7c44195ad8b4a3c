"""Decisions: distances measured, a verdict from the facts, its record, and what may leave HR.

Pure but for a routing server of one's own. Imports ``rules`` and ``geodesy``; start at
``measurement.measure`` and ``verdict.judge``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
