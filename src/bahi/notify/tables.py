"""Alerts for people, and the Telegram chats that they can go to."""

from __future__ import annotations

from bahi.db.schema import (
    HOUSE,
    TRADING,
    flag,
    index,
    instant,
    json,
    key,
    ref,
    text,
    unique,
    whole,
    word,
)

TELEGRAM = frozenset({"telegram"})

alerts = HOUSE.table(
    "alerts",
    "What somebody must look at, written in the transaction of its cause.",
    key(),
    word("severity", ("info", "warning", "critical"), "How urgent."),
    text("source", "Which part of the house raised it."),
    text("message", "What is the matter, and what to do."),
    json("details", "What a program may want to know of it.", null=True),
    ref("account_id", "books.account_id", "On which account.", on_delete="CASCADE", null=True),
    whole("user_id", "For whom; empty: for who runs the house.", null=True),
    text("topic", "What it is about: of one topic only one alert is open.", null=True),
    whole("times", "How often it was raised.", default=1),
    instant("last_raised_at", "The newest time.", null=True),
    instant("raised_at", "When."),
    instant("acknowledged_at", "When somebody took it on.", null=True),
    text("acknowledged_by", "Who.", null=True),
    index("raised_at"),
    index("severity", "raised_at", where="acknowledged_at IS NULL"),
    index("account_id"),
    unique("topic", where="acknowledged_at IS NULL"),
    stores=TRADING,
)

telegram_chats = HOUSE.table(
    "telegram_chats",
    "A chat that may be written to.",
    key(),
    whole("chat_id", "Telegram's number of it.", unique=True),
    whole("user_id", "The user it belongs to, who lives in main.", null=True),
    text("username", "Telegram's name of them.", null=True),
    flag("is_authorized", "May it be told anything?", default=False),
    flag("notification_enabled", "Does it want to be?", default=True),
    instant("created_at", "When it was linked."),
    stores=TELEGRAM,
)

telegram_messages = HOUSE.table(
    "telegram_messages",
    "What was sent to a chat.",
    key(),
    ref("chat_id", "telegram_chats.chat_id", "To which chat.", on_delete="CASCADE"),
    word("message_type", ("order", "alert", "error"), "What kind.", null=True),
    text("content", "The words.", null=True),
    instant("sent_at", "When."),
    flag("delivered", "Did Telegram take it?", default=False),
    index("chat_id", "sent_at"),
    stores=TELEGRAM,
)
