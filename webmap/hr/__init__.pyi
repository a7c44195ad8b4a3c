from . import batches as batches
from . import check as check
from . import exceptions as exceptions
from . import planning as planning
from . import policies as policies
from . import self_check as self_check
from .home_store import homes as homes
from .home_store import question as question
