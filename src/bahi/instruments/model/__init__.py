"""What an instrument is, how a broker's listing finds it, and when a master may come into force."""
