"""Pages of HR: check a home, past decisions, exceptions, batches, policies, plans of offices.

Over ``territory.eligibility.desk`` and nothing behind it. Imports ``maps``, ``pages`` and
``security``; start at ``check`` and at ``desk``, which all pages share.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
