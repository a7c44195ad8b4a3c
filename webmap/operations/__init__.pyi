from . import duplicates as duplicates
from . import imports as imports
from . import overview as overview
from . import review as review
