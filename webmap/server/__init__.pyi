from . import serve as serve
from .snapshot_worker import Apart as Apart
