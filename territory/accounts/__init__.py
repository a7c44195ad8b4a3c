"""Accounts: what a prospect is part of, which two are one company, its money and activities.

Start at ``hierarchy`` (parents), ``duplicates`` (matching, merging and taking back),
``opportunities`` (pipeline, quotas) or ``activities`` (notes, next steps). May import plans, access
and what lies below them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
