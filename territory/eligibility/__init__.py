"""Commute eligibility: who lives near enough to an office, why, and how that is kept on record.

Four packages, each over the ones before it: ``rules`` (policies and the register), ``decision``
(from facts to a verdict and its record), ``homes`` (addresses, in a database of their own) and
``desk`` (the verbs). Start at ``desk.decide``.
"""
