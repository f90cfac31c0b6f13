"""Six stores: the contract of a write, schemas as code, migrations, backups."""
