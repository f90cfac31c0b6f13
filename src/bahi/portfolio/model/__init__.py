"""The books: pages of accounts, positions and money, to the last paisa."""
