"""The parts of ``scripts/build_demo.py``: read real headquarters, invent what a CRM adds."""
