"""The console: where staff listen, read, correct and decide."""
