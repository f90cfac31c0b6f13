"""The OpenAPI document: written once in a process, beside the requests: it takes seconds."""

from __future__ import annotations

import asyncio
from typing import Final

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bahi.api.callers import Caller

PATH: Final = "/openapi.json"


def contract_route(app: FastAPI) -> Route:
    """Make the door at which the document is read; strangers may, so far as they may ask at all."""
    writing: list[asyncio.Task[bytes]] = []

    def write() -> bytes:
        return bytes(JSONResponse(app.openapi()).body)

    async def contract(request: Request) -> Response:
        caller: Caller = request.state.caller
        await caller.passer_by()
        if not writing:
            writing.append(asyncio.create_task(asyncio.to_thread(write)))
        return Response(await asyncio.shield(writing[0]), media_type="application/json")

    return Route(PATH, contract, include_in_schema=False)
