"""The only SQL of tokens, runs, attempts, turns and hand-overs."""
