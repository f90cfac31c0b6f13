"""What can be done with the symbol master: load it, look things up in it, search it."""
