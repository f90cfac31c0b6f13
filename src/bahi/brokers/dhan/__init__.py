"""DhanHQ, version 2."""
