"""Maps of the pages: folium maps taken apart for a strict policy, their scripts, the base map.

Imports the library's geometry and ``webmap.security``, no page. Start at ``market_map`` (the map of
one market); the others are in ``small_maps``, and the tiles that all lie on in ``basemap``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
