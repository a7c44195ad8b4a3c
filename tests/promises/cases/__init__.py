"""Other people's files: a test for each case of the field, by its kind."""
