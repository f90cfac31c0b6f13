"""The trail of who did what: written with the change, sealed soon after, verified at will."""

from bahi.audit.service.archiving import move_to_archive
from bahi.audit.service.sealing import Sealer
from bahi.audit.service.trail import export_page, note, recent
from bahi.audit.service.verifying import verify
from bahi.audit.service.witness import Witness

__all__ = ["Sealer", "Witness", "export_page", "move_to_archive", "note", "recent", "verify"]
