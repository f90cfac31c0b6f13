"""Keeping stores well: backups and their proof, exports, sizes, slow statements, maintenance."""
