"""Each morning the files of the brokers in use are fetched; one that fails raises an alert."""

from __future__ import annotations

from bahi.accounts.service.accounts import add_account
from bahi.bootstrap import House
from bahi.bootstrap.first_start import admin_of
from bahi.db.tx import Tx
from bahi.instruments.service.records import list_loads, masters_in_force
from bahi.kernel.actor import the_house
from bahi.kernel.words import BrokerSlug
from bahi.notify.service import find_open
from bahi.settings.model import Wish
from bahi.settings.service import set_config
from tests.brokers.test_download import publisher
from tests.cli.test_instruments import SHARES
from tests.living import live_in
from tests.test_office import do

ME = the_house("tests")
TOPIC = "master:kite"


async def from_(house: House, address: str) -> None:
    wish = Wish(category="instruments", key="kite_source", value=address)
    await house.stores["main"].write(set_config, house.vault, ME, wish, house.clock())


def an_account(tx: Tx, house: House) -> None:
    account = {"name": "Kite of the family"}
    add_account(tx, ME, BrokerSlug.KITE, account, house.clock(), user_id=admin_of(tx).id)


def test_the_morning_fetches_the_file_of_each_broker_in_use(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        await house.furnish()
        main = house.stores["main"]
        assert "masters" in {it.job_type for it in house.schedules}
        assert (await do(house, "masters")).keys() == {"paper"}  # nobody is at a broker
        await main.write(an_account, house)
        with publisher(status=503) as address:
            await from_(house, address)
            assert (await do(house, "masters")).keys() == {"paper"}
        alert = await main.read(find_open, TOPIC, fresh=True)
        assert alert is not None
        assert "was not renewed" in alert.message
        assert "503" in alert.message
        with publisher(sent=SHARES.encode()) as address:
            await from_(house, f"{address}?key=canary")
            assert (await do(house, "masters"))["kite"] == 3
        assert await main.read(find_open, TOPIC, fresh=True) is None
        in_force = await main.read(masters_in_force, fresh=True)
        assert BrokerSlug.KITE in {it.broker for it in in_force}
        (load, *_older) = await main.read(list_loads, BrokerSlug.KITE, fresh=True)
        assert "canary" not in load.source

    live_in(home, story)
