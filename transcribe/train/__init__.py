"""The recipe that grows a recogniser from confirmed recordings; nothing here is needed at run time."""
