"""Imports: files of CRMs and spreadsheets read into the store, each row accounted for.

Start at ``run.import_file``. The path of a row: ``headers``, ``rows``, ``identity``,
``read_file`` (placed there), ``update_rows``, ``report``, ``ledger``; ``rollback`` takes it back.
May import accounts, geocoding, plans and what lies below them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
