from . import activities as activities
from . import exports as exports
from . import map_data as map_data
from . import market_page as market_page
from . import profile as profile
from . import saved_views as saved_views
