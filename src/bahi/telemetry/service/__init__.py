"""What the house says and does, written down: its log, its calls, and the numbers of both.

Nothing here waits, and nothing here fails its caller: where the database cannot keep up a row is
dropped and counted, and once there is room again the log says how many were lost.
"""

from bahi.telemetry.service.chain import Form, Logging, about, end_logging, set_up_logging
from bahi.telemetry.service.counting import NAMES_AT_MOST, Numbers
from bahi.telemetry.service.latency import BY_PROGRAMS, TO_BROKERS, call_spreads
from bahi.telemetry.service.looking import (
    erase_account,
    erase_user,
    forget_calls_before,
    forget_logs_before,
    log_page,
    recent_calls,
    recent_errors,
)
from bahi.telemetry.service.recording import CallRecorder

__all__ = [
    "BY_PROGRAMS",
    "NAMES_AT_MOST",
    "TO_BROKERS",
    "CallRecorder",
    "Form",
    "Logging",
    "Numbers",
    "about",
    "call_spreads",
    "end_logging",
    "erase_account",
    "erase_user",
    "forget_calls_before",
    "forget_logs_before",
    "log_page",
    "recent_calls",
    "recent_errors",
    "set_up_logging",
]
