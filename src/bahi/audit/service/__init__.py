"""The trail of who did what: written with the change, sealed soon after, verified at will."""

from bahi.audit.service.archiving import move_to_archive
from bahi.audit.service.day_end import day_ends, sign_day
from bahi.audit.service.sealing import Sealer
from bahi.audit.service.trail import export_page, note, recent, search
from bahi.audit.service.verifying import verify
from bahi.audit.service.witness import Witness

__all__ = [
    "Sealer",
    "Witness",
    "day_ends",
    "export_page",
    "move_to_archive",
    "note",
    "recent",
    "search",
    "sign_day",
    "verify",
]
