"""The doors of sources 000 and 002, and our own: what they answer, in the words of the sources."""

from __future__ import annotations

from bahi.jobs.service import create_job
from bahi.kernel.words import BrokerSlug
from bahi.notify.model import Cause, Severity
from bahi.notify.service import raise_alert
from tests.api.standing import Standing, standing

NAMES = ["PRIMARY", "WEBSOCKET1", "WEBSOCKET2", "WEBSOCKET3", "OPTIONCHAIN1", "OPTIONCHAIN2"]


def test_the_status_of_logins_names_every_broker(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await it.user("asha")
        account = await it.account(asha, BrokerSlug.KITE, "Asha's Kite")
        await it.application(asha, account, client_id="client")
        own = await it.client(await it.key(asha))
        said = (await own.get("/auth/db/status")).json()
        assert said["database_backed"] is True
        assert said["timestamp"].endswith("+05:30")
        assert not said["kite"]["connected"]
        assert said["kite"]["account"] == "Asha's Kite"
        assert said["kite"]["account_id"] == str(account.id)
        assert said["breeze"] | {"why": ""} == {
            "connected": False,
            "service": "breeze",
            "account": None,
            "account_id": None,
            "user_id": None,
            "expires_at": None,
            "last_updated": None,
            "why": "",
        }

    standing(home, story)


def test_of_several_accounts_one_has_to_be_named(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await it.user("asha")
        for name in ("First", "Second"):
            account = await it.account(asha, BrokerSlug.KITE, name)
            await it.application(asha, account, client_id="client")
        own = await it.client(await it.key(asha))
        unclear = await own.post("/auth/db/kite/login")
        assert unclear.status_code == 409
        assert unclear.json()["code"] == "several_accounts"
        assert "First, Second" in unclear.json()["message"]
        named = await own.post("/auth/db/zerodha/login", json={"account": "Second"})
        assert named.status_code == 202
        assert named.json()["account"] == "Second"
        by_query = await own.post("/auth/db/kite/login", params={"account": "First"})
        assert by_query.json()["account"] == "First"
        again = await own.post("/auth/db/kite/login", json={"account": "First"})
        assert again.json()["execution_id"] == by_query.json()["execution_id"]
        assert again.json()["open"] != by_query.json()["open"]
        for wrong in ("nse", "paper", "angel"):
            assert (await own.post(f"/auth/db/{wrong}/login")).status_code == 400
        assert (await own.post("/auth/db/dhan/login")).status_code == 404

    standing(home, story)


def test_what_has_expired_is_cleaned_up(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        said = (await (await it.admin_client()).post("/auth/db/cleanup")).json()
        assert said["status"] == "success"
        assert said["cleaned"] == 0

    standing(house, story)


def test_the_six_of_upstox_are_counted_and_made_by_mode(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await it.user("asha")
        account = await it.account(asha, BrokerSlug.UPSTOX, "Upstox")
        for name in NAMES[:2]:
            await it.application(asha, account, name, client_id=name)
        own = await it.client(await it.key(asha))
        said = (await own.get("/api/auth/upstox/tokens/status")).json()
        assert said["summary"] == {"valid": 0, "invalid": 0, "missing": 6, "total": 6}
        assert [token["apiName"] for token in said["tokens"]] == NAMES
        generate = "/api/auth/upstox/tokens/generate"
        bad = await own.post(generate, json={"mode": "PARTIAL", "apiNames": ["PRIMARY9"]})
        assert bad.status_code == 400
        assert all(name in bad.json()["message"] for name in NAMES)
        assert (await own.post(generate, json={"mode": "SOME"})).status_code == 400
        begun = await own.post(generate, json={"mode": "PARTIAL", "apiNames": ["websocket_1"]})
        assert begun.status_code == 202
        assert begun.json()["status"] == "person_needed"
        run = (await own.get(f"/v1/tokens/runs/{begun.json()['execution_id']}")).json()
        assert (run["status"], run["apis"]) == ("WAITING", ["WEBSOCKET1"])
        twice = await own.post(generate, json={"mode": "ALL"})
        assert twice.status_code == 409
        stopped = await own.post("/v1/tokens/stop", json={"account_id": str(account.id)})
        assert stopped.json()["status"] == "STOPPED"
        assert (await own.get("/api/auth/upstox/login-success/PRIMARY")).status_code == 404
        assert (await own.get("/api/auth/upstox/login-success/NONE")).status_code == 400
        everybody = (await own.get("/v1/tokens")).json()
        assert everybody["summary"]["missing"] == 2

    standing(home, story)


def test_jobs_are_everybodys_own_and_come_in_pages(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha, ravi = await it.user("asha"), await it.user("ravi")

        def write(tx: object) -> str:
            made = [
                create_job(tx, "asha", "backtest", it.house.clock(), user_id=asha.id)  # type: ignore[arg-type] # a Tx
                for _ in range(105)
            ]
            return made[-1].job_id

        newest = await it.main.write(write)
        own, other = await it.client(await it.key(asha)), await it.client(await it.key(ravi))
        assert (await own.get(f"/jobs/status/{newest}")).json()["status"] == "pending"
        assert (await other.get(f"/jobs/status/{newest}")).status_code == 404
        assert (await other.get("/jobs/recent")).json() == {"items": [], "next": None}
        seen, after = [], None
        while True:
            asked = {"limit": 25} | ({"after": after} if after else {})
            page = (await own.get("/jobs/recent", params=asked)).json()
            seen += [job["job_id"] for job in page["items"]]
            if (after := page["next"]) is None:
                break
        assert len(seen) == len(set(seen)) == 105
        assert seen[0] == newest
        assert (await own.get("/jobs/recent", params={"after": "bm90"})).status_code == 400
        assert (await own.get("/jobs/recent", params={"limit": 101})).status_code == 400
        assert (await own.get("/jobs/running")).json()["items"] == []
        admin = await it.admin_client()
        cleaned = await admin.post("/jobs/cleanup", json={"days": 0, "dry_run": True})
        assert cleaned.json() == {"removed": 0, "dry_run": True}

    standing(home, story)


def test_a_setting_is_set_seen_and_remembered_and_a_secret_one_is_not_shown(
    home: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        admin = await it.admin_client()
        trader = await it.client(await it.key(await it.user("asha")))
        known = {
            (row["category"], row["key"]): row["value"]
            for row in (await trader.get("/config/all")).json()["items"]
        }
        assert known["api", "rate_limit_per_minute"] == 60
        assert known["api", "key_requests_per_minute"] == 3000
        changed = await admin.post("/config/trading/max_positions", json={"value": 25})
        assert changed.json()["value"] == 25
        assert changed.json()["version"] == 2
        wrong = await admin.post("/config/trading/max_positions", json={"value": "many"})
        assert wrong.status_code == 400
        secret = await admin.post("/config/api/feed_token", json={"value": "sings"})
        assert secret.json()["value"] == "***"
        assert "sings" not in (await trader.get("/config/api")).text
        assert (await trader.get("/config/nothing")).status_code == 404
        trail = (await admin.get("/audit/entity/config/trading.max_positions")).json()["items"]
        assert trail[0]["new_value"]["value"] == 25
        assert trail[0]["request_id"] == changed.headers["x-request-id"]
        mine = (await trader.get("/audit/recent")).json()["items"]
        assert {row["actor"] for row in mine} <= {"asha"}
        whose = trail[0]["user_id"]
        assert (await trader.get(f"/audit/user/{whose}")).status_code == 403
        page = (await admin.get("/audit/recent", params={"limit": 1})).json()
        older = (
            await admin.get("/audit/recent", params={"limit": 1, "after": page["next"]})
        ).json()
        assert int(older["items"][0]["id"]) < int(page["items"][0]["id"])

    standing(home, story)


def test_people_keys_and_accounts_are_entered_and_ended(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        browser, csrf = await it.signed_in(await it.admin())
        browser.headers["X-CSRF-Token"] = csrf
        asha = (await browser.post("/v1/users", json={"username": "asha"})).json()
        twice = await browser.post("/v1/users", json={"username": "asha"})
        assert twice.status_code == 409
        link = (await browser.post(f"/v1/users/{asha['id']}/link")).json()["url"]
        assert "/welcome/" in link
        changed = await browser.patch(f"/v1/users/{asha['id']}", json={"role": "viewer"})
        assert changed.json()["role"] == "viewer"
        person = await browser.post(
            "/v1/persons", json={"name": "Asha", "pan": "ABCPD1234E", "relation": "self"}
        )
        assert person.json()["has_pan"]
        assert "ABCPD1234E" not in person.text
        wish = {"name": "Upstox", "broker": "upstox", "person_id": person.json()["id"]}
        account = (await browser.post("/v1/accounts", json=wish)).json()
        at = f"/v1/accounts/{account['id']}"
        renamed = await browser.patch(at, json={"name": "Upstox of Asha", "person_id": None})
        assert (renamed.json()["name"], renamed.json()["person_id"]) == ("Upstox of Asha", None)
        made = await browser.post(
            f"{at}/applications", json={"client_id": "client", "secret": "the secret"}
        )
        assert made.status_code == 201
        assert "the secret" not in made.text
        api = f"/v1/applications/{made.json()['id']}"
        assert not (await browser.patch(api, json={"enabled": False})).json()["enabled"]
        issued = (await browser.post("/v1/keys", json={"name": "robot", "scope": "trade"})).json()
        await it.house.revisions.look()
        robot = await it.client(issued["api_key"])
        assert account["id"] in issued["accounts"]
        assert (await robot.get("/v1/me")).json()["key_id"] == issued["id"]
        assert (await robot.get(at)).status_code == 200
        further = await robot.post("/v1/accounts", json={"broker": "dhan", "name": "By a robot"})
        entered = f"/v1/accounts/{further.json()['id']}"
        assert (await robot.get(entered)).json()["name"] == "By a robot"  # who enters it sees it
        again = await robot.post("/v1/keys", json={"name": "another"})
        assert again.status_code == 403  # a key makes no keys
        assert (await browser.delete(api)).status_code == 204
        assert (await browser.delete(at)).status_code == 204
        assert (await robot.get(at)).status_code == 404
        assert not (await browser.delete(f"/v1/keys/{issued['id']}")).json()["is_active"]
        await it.house.revisions.look()
        assert (await robot.get("/v1/me")).status_code == 401
        assert (await browser.delete(f"/v1/users/{asha['id']}")).status_code == 204

    standing(home, story)


def test_alerts_are_listed_open_ones_first_and_taken_on(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        causes = [
            Cause(severity=Severity.WARNING, source="tests", message=f"alert {n}") for n in range(4)
        ]
        for cause, store in zip(causes, ("main", "sandbox") * 2, strict=True):
            await it.house.stores[store].write(raise_alert, cause, it.house.clock())
        admin = await it.admin_client()
        listed = (await admin.get("/v1/alerts")).json()["items"]
        assert [row["message"] for row in listed] == [f"alert {n}" for n in (3, 2, 1, 0)]
        taken = await admin.post(f"/v1/alerts/{listed[0]['id']}/acknowledge")
        assert taken.json()["acknowledged_by"] == "admin"
        seen, after = [], None
        while True:
            asked = {"limit": 1} | ({"after": after} if after else {})
            page = (await admin.get("/v1/alerts", params=asked)).json()
            seen += [row["id"] for row in page["items"]]
            if (after := page["next"]) is None:
                break
        assert seen == [row["id"] for row in listed[1:]] + [listed[0]["id"]]
        trader = await it.client(await it.key(await it.user("asha")))
        assert (await trader.get("/v1/alerts")).json()["items"] == []
        theirs = await trader.post(f"/v1/alerts/{listed[1]['id']}/acknowledge")
        assert theirs.status_code == 404

    standing(home, story)


def test_a_request_is_recorded_by_its_route_and_without_secrets(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        import sqlalchemy as sa

        admin = await it.admin_client()
        await admin.get("/jobs/status/some-job", params={"token": "sings"})
        await admin.get("/healthz")
        await it.house.stores["latency"].write(lambda tx: None)

        def read(tx: object) -> list[str]:
            return [str(row) for row in tx.rows(sa.text("SELECT * FROM api_calls"))]  # type: ignore[attr-defined] # a Tx

        rows = await it.house.stores["latency"].read(read, fresh=True)
        assert len(rows) == 1
        assert "GET /jobs/status/{job_id}" in rows[0]
        assert "404" in rows[0]
        assert "sings" not in rows[0]

    standing(house, story)
