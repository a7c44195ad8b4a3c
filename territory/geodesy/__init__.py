"""Exact distances and point in polygon on the WGS84 ellipsoid, for millions of points.

Metres, and longitude before latitude in degrees. Imports nothing of the project but ``errors`` and
the default radius of ``policy``. Start at :class:`OfficeIndex` (nearest office),
:class:`PolygonIndex` (which area) or :func:`inverse` (one distance).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
