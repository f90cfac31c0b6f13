"""Work that must happen, and when."""
