"""Access: users and their roles, sign-in, sessions and tokens, and the audit log.

Imports the store, files and labels. Start at ``scopes`` for who may see which rows, at ``sign_in``
and ``sessions`` for who it is, at ``audit_log.record`` for what every verb leaves behind.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
