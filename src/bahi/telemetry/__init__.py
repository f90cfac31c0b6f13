"""What was said to brokers and how long it took; what the house says of itself."""
