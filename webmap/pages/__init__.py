"""What pages share: the layout around them, static files, uploads, downloads, progress of jobs.

Imports the library and ``security``, no page of an audience. Start in ``layout``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
