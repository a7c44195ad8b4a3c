"""The desk of HR: decide and record, search and verify, purge, policies, plans of offices, batches.

The verbs of eligibility for pages and commands. Imports ``rules``, ``decision`` and ``homes``;
start at ``decide.decide``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
