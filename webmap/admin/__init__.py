"""Pages of admins: users with their ways in and tokens, what reps may see, and the audit log.

Imports ``territory.access`` and the shared pages. Start in ``users``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
