"""What came from other systems, as it was."""
