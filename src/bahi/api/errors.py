"""What a failure is in HTTP: one table, and one form of answer, `{"code", "message"}`."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bahi.kernel import errors as kernel
from bahi.kernel.errors import BahiError

log = logging.getLogger("bahi.api")

STATUS: Final[dict[type[BahiError], HTTPStatus]] = {
    kernel.Invalid: HTTPStatus.BAD_REQUEST,
    kernel.NotFound: HTTPStatus.NOT_FOUND,
    kernel.Conflict: HTTPStatus.CONFLICT,
    kernel.Forbidden: HTTPStatus.FORBIDDEN,
    kernel.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    kernel.TooSoon: HTTPStatus.TOO_MANY_REQUESTS,
    kernel.TooMuch: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    kernel.Busy: HTTPStatus.SERVICE_UNAVAILABLE,
    kernel.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    kernel.NotCommitted: HTTPStatus.SERVICE_UNAVAILABLE,
    kernel.InDoubt: HTTPStatus.GATEWAY_TIMEOUT,
    kernel.Rejected: HTTPStatus.UNPROCESSABLE_ENTITY,
    kernel.NotSent: HTTPStatus.BAD_GATEWAY,
    kernel.Silent: HTTPStatus.GATEWAY_TIMEOUT,
    kernel.Misconfigured: HTTPStatus.INTERNAL_SERVER_ERROR,
    kernel.ClockWrong: HTTPStatus.INTERNAL_SERVER_ERROR,
    kernel.KeyMissing: HTTPStatus.INTERNAL_SERVER_ERROR,
    kernel.SealBroken: HTTPStatus.INTERNAL_SERVER_ERROR,
    BahiError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""The status of each failure; a class that is not named here has that of what it is a kind of."""

RETRY_AFTER_S: Final = {HTTPStatus.SERVICE_UNAVAILABLE: "1"}


def status_of(failure: type[BahiError]) -> HTTPStatus:
    """Return the status of a failure."""
    return next(STATUS[kind] for kind in failure.__mro__ if kind in STATUS)


def problem(
    status: int, code: str, message: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    """Answer with what went wrong: the sentence for people, the code for programs."""
    return JSONResponse({"code": code, "message": message}, status, headers)


def answer_failures(app: FastAPI) -> None:
    """Teach an application to answer every failure in the one form."""
    app.add_exception_handler(BahiError, _failed)
    app.add_exception_handler(RequestValidationError, _misunderstood)
    app.add_exception_handler(HTTPException, _refused)
    app.add_middleware(Unexpected)


async def _failed(_request: Request, failure: Exception) -> JSONResponse:
    assert isinstance(failure, BahiError)  # noqa: S101 - what it was registered for
    status = status_of(type(failure))
    retry = {"Retry-After": RETRY_AFTER_S[status]} if status in RETRY_AFTER_S else None
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("%s", failure)
    return problem(status, failure.code, str(failure), retry)


async def _misunderstood(_request: Request, failure: Exception) -> JSONResponse:
    assert isinstance(failure, RequestValidationError)  # noqa: S101 - what it was registered for
    first = failure.errors()[0]  # never its input, which may be a secret
    where = ".".join(str(part) for part in first["loc"])
    return problem(HTTPStatus.BAD_REQUEST, kernel.Invalid.code, f"{where}: {first['msg']}.")


async def _refused(_request: Request, refusal: Exception) -> JSONResponse:
    assert isinstance(refusal, HTTPException)  # noqa: S101 - what it was registered for
    status = HTTPStatus(refusal.status_code)
    headers = dict(refusal.headers) if refusal.headers else None
    return problem(status, status.name.lower(), f"{status.description or status.phrase}.", headers)


class Unexpected:
    """The boundary: what nobody expected is logged, once, and answered without its details."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and answer for it if it fails before it has begun to answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception:
            if begun:
                raise  # too late for an answer: the server logs it and cuts the connection
            log.exception("%s %s failed", scope["method"], scope["path"])
            message = "Something unexpected went wrong here; it is in the log."
            await problem(500, BahiError.code, message)(scope, receive, send)


def problem_answers() -> dict[int | str, dict[str, Any]]:
    """Describe the one form of failure for OpenAPI."""
    text = {"type": "string"}
    form = {"type": "object", "properties": {"code": text, "message": text}}
    content = {"application/json": {"schema": form}}
    return {"default": {"description": "What went wrong.", "content": content}}
