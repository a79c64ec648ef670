"""Who may see and do what: three doors, for citizens, staff and programs."""
