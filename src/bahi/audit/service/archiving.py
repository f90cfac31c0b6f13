"""Leaving for the archive: whole sealed batches, and nothing else."""

from __future__ import annotations

import logging
from datetime import datetime

from bahi.audit import repository
from bahi.audit.model import Member, Seal
from bahi.audit.service.verifying import check
from bahi.db.stores import Store
from bahi.kernel.clock import to_micros
from bahi.kernel.crypto import Vault

log = logging.getLogger("bahi.audit")


async def move_to_archive(
    store: Store, archive: Store, vault: Vault, before: datetime, *, dry_run: bool = False
) -> int:
    """Move whole sealed batches from before an instant: copy, check there, remove here.

    A batch that is not as it was sealed stays where it is, for `verify` to name.
    """
    moved = 0
    for seal in await store.read(repository.seals, fresh=True):
        if seal.sealed_at >= to_micros(before):
            continue
        held = await _held(store, seal)
        whole = [(audit_id, digest, row) for audit_id, digest, row in held if row is not None]
        if not whole or check(seal, held, vault):
            continue
        if not dry_run:
            await archive.write(repository.copy_in, seal, whole)
            if check(seal, await _held(archive, seal), vault):
                log.error("seal %s did not arrive in the archive as it was", seal.seal_no)
                continue
            await store.write(repository.let_go, seal.seal_no)
        moved += len(whole)
    return moved


async def _held(store: Store, seal: Seal) -> list[Member]:
    found = await store.read(repository.members, [seal.seal_no], fresh=True)
    return found.get(seal.seal_no, [])
