"""What strangers ask in vain is counted, and fills no disk."""

from __future__ import annotations

from bahi.kernel.actor import the_house
from bahi.telemetry.service import recent_calls
from tests.api.standing import STRANGER, Standing, standing


def test_what_is_one_too_many_or_not_there_is_counted_and_not_written_down(
    house: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        await it.set("api", "rate_limit_per_minute", 3)
        client = await it.client(peer=STRANGER)
        for _ in range(5):
            await client.get("/nowhere")
        codes = [(await client.get("/v1/accounts")).status_code for _ in range(6)]
        assert codes == [401] * 3 + [429] * 3
        known = await it.client(await it.key(await it.admin()))
        assert (await known.get("/nowhere-else")).status_code == 404
        assert (await known.get("/v1/accounts")).status_code == 200
        await it.house.stores["latency"].write(lambda tx: None)  # behind all that was offered
        found = await recent_calls(it.house.stores["latency"], the_house("test"))
        written = [(each.operation, each.status_code) for each in found]
        accounts = [status for operation, status in written if operation == "GET /v1/accounts"]
        assert len(accounts) == 4
        metrics = (await known.get("/metrics")).text
        assert 'bahi_requests_total{route="GET /v1/accounts",status="429"} 3.0' in metrics, metrics

    standing(house, story)
