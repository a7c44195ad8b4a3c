"""Who may ask for what: hosts and origins, sessions and tokens, the rule of each view, rate limits.

A view declares its rule by ``@security.allows(...)`` and reads rows within ``security.scope()``.
Imports ``territory.access`` and the context of the app. Start in ``authorization``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
