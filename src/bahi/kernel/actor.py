"""Who asks: handed from the door that recognised them down to the row that remembers them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bahi.kernel.errors import Forbidden
from bahi.kernel.words import KeyScope, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person, a key of theirs, or a part of the house; and the request it came by.

    `scope` is that of the API key, None for a person who signed in. Of one that `needs_approval` a
    person lets each entry go out. One that `goes_live` means a live account where it names none.
    """

    name: str
    user_id: int | None = None
    role: Role = Role.VIEWER
    scope: KeyScope | None = None
    key_id: int | None = None
    session_id: int | None = None
    address: str | None = None
    agent: str | None = None
    request_id: str | None = None
    needs_approval: bool = False
    goes_live: bool = False

    @property
    def is_admin(self) -> bool:
        """Whether everything of everybody is theirs to see and change.

        A key is never more than its scope: an admin's reading key changes nothing.
        """
        return self.role is Role.ADMIN

    def may_change(self) -> bool:
        """Say whether they may change anything at all."""
        return self.role is not Role.VIEWER and self.scope is not KeyScope.READ

    def owns(self, user_id: int | None) -> bool:
        """Say whether something of this user is theirs to see."""
        return self.is_admin or (user_id is not None and user_id == self.user_id)

    def by_request(self, *, address: str | None, agent: str | None, request_id: str) -> Actor:
        """Return the same actor, as they came by this request."""
        return replace(self, address=address, agent=agent, request_id=request_id)


def the_house(part: str) -> Actor:
    """Return a part of the house as an actor: the schedule, the terminal, the first start."""
    return Actor(name=f"bahi:{part}", role=Role.ADMIN)


def require_change(actor: Actor) -> None:
    """Refuse one who may only look."""
    if not actor.may_change():
        raise Forbidden(
            "This needs a key of scope paper or trade; this one only reads."
            if actor.scope is KeyScope.READ
            else "A viewer may look and change nothing; ask an admin for the role of trader."
        )


def require_person(actor: Actor, what: str) -> None:
    """Refuse a key, and one who may only look: `what` is for people who signed in."""
    require_change(actor)
    if actor.key_id is not None:
        raise Forbidden(f"{what} by a person who signed in, never by a key.")


def require_admin(actor: Actor) -> None:
    """Refuse everybody but an admin."""
    if not actor.is_admin:
        raise Forbidden("Only an admin may do this.")
    require_change(actor)
    if actor.scope is KeyScope.PAPER:
        raise Forbidden("This needs to be signed in, or a key of scope trade.")
