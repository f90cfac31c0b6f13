"""Who may come in: users, their sessions on the web, their keys."""
