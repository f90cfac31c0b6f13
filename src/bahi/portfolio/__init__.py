"""What is held and what it cost: books, trades, positions, holdings, funds, charges."""
