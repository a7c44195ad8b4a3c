"""The command ``territory``: one file per command group, over the faces of the other packages.

It may import every package; none imports it. Start in ``main``.
"""
