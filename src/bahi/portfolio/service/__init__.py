"""The books: begun once, locked by whoever writes, moved by trades."""

from bahi.portfolio.repository.leaving import erase_account

__all__ = ["erase_account"]
