"""The recipe that grows a recogniser from confirmed recordings; not needed at run time."""
