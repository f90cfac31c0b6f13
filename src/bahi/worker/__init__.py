"""The door of time: what comes in by the queue and by the clock."""
