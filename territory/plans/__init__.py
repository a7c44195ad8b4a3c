"""Plans: who owns which prospect, worked out by named rules, checked, and published for good.

Start at ``publish`` (the verbs), then ``drafts`` (how a plan is made) and ``assignment`` (the
rules). May import access, markets, store, geodesy and the ground below them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
