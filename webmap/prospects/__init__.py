"""Pages of reps: a market with its list and map, a prospect, exports, saved views, activities.

Start at ``query_string`` (what an address asks for), ``facets`` (the list), ``map_data`` (the map)
and ``market_page``, which puts them on a page. May import account, maps, pages, security and the
library.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
