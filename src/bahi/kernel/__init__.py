"""The words that everything else is written in: exact, pure, with no I/O beyond the key file."""
