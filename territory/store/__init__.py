"""The store: tables, migrations, transactions, and one cache of answers by revision.

Imports the column contracts (``schemas``) and errors alone; the SQL of a package's own questions is
in its ``ledger`` files. Start at ``database.Store``: ``read``, ``write`` and ``cached``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
