"""Prospects of the plan in force as they are searched: fields, filters, snapshots, scores.

Start at ``fields`` for what a prospect has and ``ProspectIndex`` for how it is looked up;
``build.ready`` makes the snapshot that both rest on. May import accounts, plans, access and the
store; reports and the app import this.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
