"""Background jobs: long tasks that outlive the browser that asked for them and the server.

Imports every package of the library but ``cli``; only ``cli`` and the app import it. Start in
``requests``: ask, look, stop. ``worker.work`` runs the jobs, ``tasks`` is what they may ask for.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
