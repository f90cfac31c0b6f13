"""The transactions of a token run: each is one step, and what is left to do follows from the rows
that are stored. So a run can be killed between any two of them and goes on where it was.
"""

from bahi.tokens.service.steps.claim import (
    Claim,
    cooldown_ends,
    take_answer,
    take_posted,
    take_step,
    unasked,
)
from bahi.tokens.service.steps.run import (
    Wish,
    ask_again,
    begin_run,
    ids_of,
    locked_run,
    progress_in,
    saved,
    settled,
    stop_run,
)

__all__ = [
    "Claim",
    "Wish",
    "ask_again",
    "begin_run",
    "cooldown_ends",
    "ids_of",
    "locked_run",
    "progress_in",
    "saved",
    "settled",
    "stop_run",
    "take_answer",
    "take_posted",
    "take_step",
    "unasked",
]
