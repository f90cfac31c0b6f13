"""What opens a broker's door today: tokens, and the runs that make them."""
