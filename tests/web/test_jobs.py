"""Jobs: how far, how long still, why one failed, and what comes round by itself."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

from bahi.db.tx import Tx
from bahi.identity.model import User
from bahi.jobs.model.schedule import scheduled_by
from bahi.jobs.service import (
    create_job,
    get_job,
    list_schedules,
    sync_schedules,
    update_job_status,
)
from bahi.jobs.service.queue import ask_for
from bahi.kernel.words import JobStatus
from tests.api.standing import Standing, standing
from tests.web.reading import cost_to, tables_of


async def _job(it: Standing, owner: User | None, status: JobStatus, **more: object) -> str:
    """Write down a job that is done elsewhere."""
    begun = it.house.clock() - timedelta(seconds=30)

    def write(tx: Tx) -> str:
        job = create_job(tx, "a test", "counting", begun, user_id=owner and owner.id)
        update_job_status(tx, job.job_id, JobStatus.RUNNING, begun)
        if status is not JobStatus.RUNNING or more:
            update_job_status(tx, job.job_id, status, begun, **more)  # type: ignore[arg-type]
        return job.job_id

    return await it.main.write(write)  # type: ignore[no-any-return] # main is Any


def test_a_running_job_says_how_far_it_is_and_how_long_it_may_take(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        browser, _ = await it.signed_in(await it.admin())
        assert "No job is like that" in (await browser.get("/jobs?status=failed")).text
        await _job(it, None, JobStatus.RUNNING, progress=75, message="<script>3 of 4 files")
        page = await browser.get("/jobs")
        assert await cost_to(browser, "/jobs") <= 12
        assert '<progress max="100" value="75"' in page.text
        shown = tables_of(page)
        assert "75 of 100 %" in shown
        assert "about 10 s" in shown or "about 1" in shown
        assert "<script>3 of 4" not in page.text
        part = await browser.get("/jobs/going")
        assert "<html" not in part.text
        assert "counting" in part.text
        assert "counting" in (await browser.get("/jobs.csv?type=counting")).text
        for bad in ("status=odd", "behind=x"):
            assert (await browser.get(f"/jobs?{bad}")).status_code == 400

    standing(home, story)


def test_what_came_round_and_went_well_does_not_bury_the_rest(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        browser, _ = await it.signed_in(await it.admin())

        def come_round(tx: Tx) -> None:
            now = it.house.clock()
            for status in (JobStatus.COMPLETED, JobStatus.FAILED):
                name = f"round_{status}"
                job = ask_for(tx, scheduled_by(name), name, {}, now)
                update_job_status(tx, job.job_id, JobStatus.RUNNING, now)
                update_job_status(tx, job.job_id, status, now)

        await it.main.write(come_round)
        await _job(it, None, JobStatus.COMPLETED)
        shown = tables_of(await browser.get("/jobs"))
        assert "Counting" in shown
        assert "Round failed" in shown
        assert "Round completed" not in shown
        for asked in ("status=every", "status=completed", "type=round_completed"):
            assert "Round completed" in tables_of(await browser.get(f"/jobs?{asked}")), asked

    standing(home, story)


def test_a_job_that_tells_no_progress_has_no_bar(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        browser, _ = await it.signed_in(await it.admin())
        await _job(it, None, JobStatus.RUNNING)
        page = await browser.get("/jobs/going")
        assert "<progress" not in page.text
        shown = tables_of(page)
        assert "Counting" in shown
        assert "30 s" in shown or "31 s" in shown
        assert "of 100 %" not in shown

    standing(house, story)


def test_what_a_day_hangs_on_stands_open_in_words_and_the_rest_is_folded(
    house: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        browser, csrf = await it.signed_in(await it.admin())
        await it.main.write(sync_schedules, it.house.schedules, it.house.clock())
        page = (await browser.get("/jobs")).text
        assert '<span title="20 16 * * *;58 23 * * *">daily 16:20 and 23:58</span>' in page
        daily, folded = page.split("more that keep the house")
        assert "Fetch the instrument files" in daily
        assert "Ask every part how it is" in folded
        assert "Log in at Kite (Zerodha)" in folded  # nobody has an account there
        assert await browser.post("/jobs/schedules/retention/pause", data={"csrf": csrf})
        daily, _ = (await browser.get("/jobs")).text.split("more that keep the house")
        assert "Forget old logs" in daily  # what somebody paused is not folded away

    standing(house, story)


def test_a_failed_job_says_why_and_is_run_again_by_whose_it_is(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await it.user("asha")
        browser, csrf = await it.signed_in(asha)
        stranger, theirs = await it.signed_in(await it.user("ravi"))
        job_id = await _job(it, asha, JobStatus.FAILED, error="<b>the disk is full")
        page = await browser.get("/jobs?status=failed")
        assert "&lt;b&gt;the disk is full" in page.text
        assert "Run it again" in page.text
        assert "the disk is full" not in (await stranger.get("/jobs")).text
        again = f"/jobs/again/{job_id}"
        assert (await stranger.post(again, data={"csrf": theirs})).status_code == 404
        assert (await browser.post(again, data={})).status_code == 403
        assert (await browser.post(again, data={"csrf": csrf})).status_code == 303
        job = await it.main.read(get_job, job_id, fresh=True)
        assert job.status is JobStatus.PENDING
        twice = await browser.post(again, data={"csrf": csrf})
        assert twice.status_code == 409
        assert "only a failed one" in unescape(twice.text)

    standing(home, story)


def test_what_comes_round_is_run_now_paused_and_resumed_by_an_admin(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        admin, csrf = await it.signed_in(await it.admin())
        trader, theirs = await it.signed_in(await it.user("asha"))
        await it.main.write(sync_schedules, it.house.schedules, it.house.clock())
        assert "Ask every part how it is" in tables_of(await trader.get("/jobs"))
        where = "/jobs/schedules/health_check"
        for what in ("run", "pause", "resume"):
            assert (await trader.post(f"{where}/{what}", data={"csrf": theirs})).status_code == 403
        assert (await admin.post(f"{where}/pause", data={"csrf": csrf})).status_code == 303
        assert "paused" in tables_of(await admin.get("/jobs"))
        assert (await admin.post(f"{where}/resume", data={"csrf": csrf})).status_code == 303
        found = await it.main.read(list_schedules, fresh=True)
        assert all(each.is_active for each in found)
        assert (await admin.post(f"{where}/run", data={"csrf": csrf})).status_code == 303
        assert "Health check" in tables_of(await admin.get("/jobs?type=health_check"))
        nothing = await admin.post("/jobs/schedules/nothing/run", data={"csrf": csrf})
        assert nothing.status_code == 404
        odd = await admin.post(f"{where}/explode", data={"csrf": csrf})
        assert odd.status_code == 404
        assert "health_check" in (await admin.get("/jobs/schedules.csv")).text

    standing(house, story)
