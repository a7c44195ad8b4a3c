"""The production server of the app, and the one worker process beside it.

Above every page; only ``webmap.cli`` imports it. Start in ``run.serve``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
