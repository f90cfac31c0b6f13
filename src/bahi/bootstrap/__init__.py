"""The one place where things are made and joined.

A start goes in this order: the data folder, the keys, the databases and their migrations, the
process's node, the stores; then the rooms that stand on them; what is kept in memory is filled
when the house begins its day (`House.begin`), and last the doors open.
"""

from bahi.bootstrap.ground import (
    NEWEST_IN,
    AlreadyServed,
    bring_to_the_present,
    keyring_of,
    make_folder,
    migrators,
    mint_of,
    naming,
    take_service_lock,
)
from bahi.bootstrap.house import House, build

__all__ = [
    "NEWEST_IN",
    "AlreadyServed",
    "House",
    "bring_to_the_present",
    "build",
    "keyring_of",
    "make_folder",
    "migrators",
    "mint_of",
    "naming",
    "take_service_lock",
]
