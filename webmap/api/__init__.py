"""The JSON API ``/api/v1`` for programs, and its OpenAPI document.

``parameters`` and ``fields`` are the tables that both the views and the document go by. Imports the
library, ``security`` and the HR desk. Start in ``resources``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
