from . import areas as areas
from . import size as size
from .areas import define as define
from .areas import locate as locate
from .size import SHARE_SOURCE as SHARE_SOURCE
from .size import SOURCE as SOURCE
from .size import MarketSize as MarketSize
