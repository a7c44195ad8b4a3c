"""The Flask app over one store: pages, maps and an API for sales, operations, HR and admins.

``create_app(Settings(...))`` makes one; nothing happens at import. A view parses, calls the verb of
the library and renders what it answers. Start in ``app``; ``server`` runs it, ``cli`` is ``serve``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
