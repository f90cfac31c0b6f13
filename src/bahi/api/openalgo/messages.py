"""Messages to people: kept as alerts, which the channels carry as soon as there are any."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from starlette.routing import Route

from bahi.api.openalgo.door import Ask, Refused, Text, asked, good
from bahi.api.openalgo.strategies import NOT_AVAILABLE, NOT_IMPLEMENTED
from bahi.bootstrap import House
from bahi.kernel.actor import Actor
from bahi.kernel.errors import Invalid
from bahi.notify.model import MESSAGE_AT_MOST, Cause, Severity
from bahi.notify.service import raise_alert

PHONES_AT_MOST: Final = 100
Message = Annotated[str, msgspec.Meta(max_length=MESSAGE_AT_MOST)]


class Telegram(Ask, kw_only=True):
    """A message for Telegram."""

    message: Message
    username: Text | None = None
    priority: int | None = None


class WhatsApp(Ask, kw_only=True):
    """A message for WhatsApp: to oneself, to numbers, or to somebody by name."""

    message: Message | None = None
    caption: Message | None = None
    to_self: bool = msgspec.field(default=False, name="self")
    phone: str | int | None = None
    phones: Annotated[tuple[str | int, ...], msgspec.Meta(max_length=PHONES_AT_MOST)] = ()
    username: Text | None = None
    image_path: Text | None = None
    document_path: Text | None = None


def message_routes(house: House) -> list[Route]:
    """Make the doors of messages."""
    return [
        asked(house, "telegram/notify", Telegram, telegram, changes=True),
        asked(house, "whatsapp/notify", WhatsApp, whatsapp, changes=True),
    ]


async def telegram(house: House, actor: Actor, form: Telegram) -> dict[str, Any]:
    """Keep a message as an alert of its sender's."""
    details = {"to": form.username or actor.name, "priority": form.priority}
    await _keep(house, actor, "telegram", form.message, details)
    return good(message="Queued as an alert", queued=1)


async def whatsapp(house: House, actor: Actor, form: WhatsApp) -> dict[str, Any]:
    """Keep a message as an alert of its sender's, with the number of those it is for."""
    if form.image_path or form.document_path:
        raise Refused(
            "Images and documents are not sent; send the message alone.",
            code=NOT_AVAILABLE,
            status=NOT_IMPLEMENTED,
        )
    several = len(form.phones) + sum(map(bool, (form.phone, form.to_self, form.username)))
    if not several:
        raise Invalid("phone: say to whom, by phone, phones, username or self.")
    text = form.message or form.caption or ""
    await _keep(house, actor, "whatsapp", text, {"recipients": several})
    return good(message=f"Queued for {several} recipient(s)", queued=several)


async def _keep(
    house: House, actor: Actor, source: str, message: str, details: dict[str, Any]
) -> None:
    text = "".join(it if it.isprintable() else " " for it in message).strip()
    if not text:
        raise Invalid("message: it is empty.")
    cause = Cause(
        severity=Severity.INFO,
        source=source,
        message=text,
        user_id=actor.user_id,
        details=details,
    )
    await house.stores["main"].write(raise_alert, cause, house.clock())
