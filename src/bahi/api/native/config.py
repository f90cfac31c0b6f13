"""Settings that change while the house runs (source 002); secrets among them are never shown."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field, JsonValue

from bahi.api.forms import Form, Instant, Shown, Text
from bahi.api.routes import PRIVATE, ForAdmins, Kept, Who, joined
from bahi.bootstrap import House
from bahi.kernel.errors import NotFound
from bahi.settings import service
from bahi.settings.model import Wish

Name = Annotated[str, Path(max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]
DataType = Literal["string", "integer", "boolean", "json"]


class ConfigShown(Shown):
    """A setting as it stands; the value of a secret one is `***`."""

    category: str
    key: str
    value: Any
    data_type: str
    description: str | None
    is_sensitive: bool
    version: int
    updated_at: Instant
    updated_by: str | None


class Configs(BaseModel):
    """Settings, by their names."""

    items: list[ConfigShown]


class Change(Form):
    """What a setting is to be."""

    value: JsonValue
    data_type: DataType | None = None
    description: Text | None = None
    sensitive: Annotated[bool, Field(description="Sealed, and shown to nobody.")] = False


def config_routes(house: House, prefix: str = "/config") -> APIRouter:
    """Make the doors of settings: where source 002 has them, or beside our own."""
    router = APIRouter(prefix=prefix, tags=["config"], route_class=Kept)
    admins = APIRouter(prefix=prefix, tags=["config"], route_class=ForAdmins)
    main = house.stores["main"]

    @router.get("/all")
    async def all_settings(actor: Who) -> Configs:
        """List every setting."""
        del actor
        found = await main.read(service.get_all_configs, fresh=True)
        return Configs(items=[ConfigShown.model_validate(it) for it in found])

    @router.get("/{config_type}")
    async def settings_of(actor: Who, config_type: Name) -> Configs:
        """List the settings of one type."""
        del actor
        found = await main.read(service.get_configs_by_type, config_type, fresh=True)
        if not found:
            raise NotFound(f"There are no settings of the type {config_type!r}.")
        return Configs(items=[ConfigShown.model_validate(it) for it in found])

    @admins.post("/{config_type}/{key}", dependencies=[PRIVATE])
    async def set_setting(actor: Who, config_type: Name, key: Name, change: Change) -> ConfigShown:
        """Set a setting; it is in effect everywhere within a second."""
        wish = Wish(
            category=config_type,
            key=key,
            value=change.value,
            data_type=change.data_type,
            description=change.description,
            sensitive=change.sensitive,
        )
        now = house.clock()
        changed = await main.write(service.set_config, house.vault, actor, wish, now)
        return ConfigShown.model_validate(changed)

    return joined(router, admins)
