"""The spoken defaults of the citizens' page."""
