"""What is true: the record, the rules on it, and the deeds that the rooms above share."""
