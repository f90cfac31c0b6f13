"""What Alembic runs for every store: the connection and the bookkeeping are handed in.

`bahi.db.migrate` begins and ends each step's transaction itself, so nothing is begun here.
"""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    transactional_ddl=False,
    on_version_apply=context.config.attributes["on_version_apply"],
)
context.run_migrations()
