"""The door for programs: the versioned interface under /v1."""
