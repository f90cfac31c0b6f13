"""Who is told: alerts, and the chats they go to."""
