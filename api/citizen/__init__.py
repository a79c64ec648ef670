"""The door for citizens: a page that nobody needs to read, the receipt, and posters."""
