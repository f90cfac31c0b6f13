"""The only SQL of users, sessions, keys, links and failed sign-ins."""
