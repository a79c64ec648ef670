"""What the command line does in this room, a module for each noun of it."""
