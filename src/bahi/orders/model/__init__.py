"""Orders: what may be asked, how an order lives, and what is to be believed about it."""
