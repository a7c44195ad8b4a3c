"""Commute-radius eligibility: rules, decisions, homes, and the desk where HR works."""
