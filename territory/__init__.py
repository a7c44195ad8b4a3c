"""Sales territories, target markets and commute-radius eligibility, decided on the ellipsoid.

The verbs, imported when they are first used, so that ``import territory`` costs next to nothing::

    import territory

    with territory.open_store("sqlite:///var/territory.sqlite") as store:
        territory.import_file(store, "prospects", "accounts.csv", by="Ann", now=now)
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
