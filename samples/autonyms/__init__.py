"""Names of languages as outlines."""
