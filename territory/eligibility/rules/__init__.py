"""Rules of eligibility: policies as data and as TOML, the register in the store, and the labels.

Imports the ground of the library and ``store``; start at ``policy.EligibilityPolicy``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
