from . import assets as assets
from . import basemap as basemap
from . import folium_maps as folium_maps
from . import tile_sources as tile_sources
from .folium_maps import MAINLAND as MAINLAND
from .folium_maps import RenderedMap as RenderedMap
from .tile_cache import Key as Key
from .tile_sources import TileServer as TileServer
