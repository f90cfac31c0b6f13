"""The door for people: pages of HTML, one stylesheet, no script."""
