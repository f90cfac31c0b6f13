"""What is pushed: prices and what happened, to sockets and to streams of events."""
