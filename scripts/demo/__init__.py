"""The parts of ``scripts/demo/build.py``: read real headquarters, invent what a CRM adds."""
