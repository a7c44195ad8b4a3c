"""Pages of one's own account: sign-in by password, link or company sign-on, and the web manifest.

Imports ``territory.access`` and ``security``. Start in ``sign_in``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
