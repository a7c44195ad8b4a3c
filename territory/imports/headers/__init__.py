"""Headers: which column of a file is which of ours, by names, words and systems.

Imports the schemas, cleaning and errors. Start in ``mapping``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
