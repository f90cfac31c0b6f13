"""What a failure is in HTTP: one table, and one form of answer.

    {"status": "error", "code": "not_found", "message": "There is no job 7.", "request_id": "5f..."}

A door that talks to people leaves in `request.state.failure_page` how it says the same as a page;
at an address without a door, `app.state.failure_page` is for browsers.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bahi.calendar.model import UnknownDay
from bahi.kernel import errors as kernel
from bahi.kernel.errors import BahiError, TooSoon
from bahi.kernel.ports import LoginFailed
from bahi.kernel.redaction import redact_text
from bahi.kernel.words import LoginFailure
from bahi.quotes.model.quote import NoPrice
from bahi.tokens.model import Locked

log = logging.getLogger("bahi.api")


class NotJson(BahiError):
    """The body has to be JSON; send it with `Content-Type: application/json`."""

    code = "not_json"


STATUS: Final[dict[type[BahiError], HTTPStatus]] = {
    kernel.Invalid: HTTPStatus.BAD_REQUEST,
    kernel.NotFound: HTTPStatus.NOT_FOUND,
    kernel.Conflict: HTTPStatus.CONFLICT,
    kernel.Outdated: HTTPStatus.PRECONDITION_FAILED,
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
    NotJson: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Locked: HTTPStatus.SERVICE_UNAVAILABLE,
    NoPrice: HTTPStatus.NOT_FOUND,
    UnknownDay: HTTPStatus.NOT_FOUND,
    LoginFailed: HTTPStatus.BAD_GATEWAY,
    BahiError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""The status of each failure; a class that is not named here has that of what it is a kind of."""

LOGIN_STATUS: Final[dict[LoginFailure, HTTPStatus]] = {
    LoginFailure.NETWORK_TIMEOUT: HTTPStatus.GATEWAY_TIMEOUT,
    LoginFailure.RATE_LIMIT: HTTPStatus.TOO_MANY_REQUESTS,
    LoginFailure.INVALID_CREDENTIALS: HTTPStatus.UNPROCESSABLE_ENTITY,
    LoginFailure.CAPTCHA: HTTPStatus.UNPROCESSABLE_ENTITY,
    LoginFailure.CONSENT_FAILED: HTTPStatus.UNPROCESSABLE_ENTITY,
    LoginFailure.TOKEN_EXCHANGE_FAILED: HTTPStatus.UNPROCESSABLE_ENTITY,
    LoginFailure.PROFILE_VERIFICATION_FAILED: HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""A broker's no by its reason: what somebody here can put right is 422."""

RETRY_AFTER_S: Final = {HTTPStatus.SERVICE_UNAVAILABLE: 1}
COOLDOWN_S: Final = 660
WHERE_AT_MOST: Final = 100
RIGHT: Final = {
    r"^[0-9]{1,19}$": "write an id in up to 19 decimal digits",
    r"^[^\x00-\x1f\x7f]*$": "write it in one line, without control characters",
    r"^[A-Za-z0-9_.:@-]+$": "write letters, digits and `_.:@-`, without spaces",
    r"^[A-Za-z]+$": "write letters alone",
    r"^[a-z_.]+$": "write small letters, `_` and `.`",
    r"^[a-z][a-z0-9_]*$": "write small letters, digits and `_`, a letter first",
    r"^[A-Za-z0-9_-]+$": "write letters, digits, `_` and `-`",
    r"^[A-Za-z0-9_-]*$": "write the `next` of the page before",
    r"^[A-Za-z0-9 _-]+$": "write letters, digits, spaces, `_` and `-`",
    r"^[a-z_]+$": "write small letters and `_`",
    "^(main|sandbox)$": "write `main` or `sandbox`",
    "^(NSE|BSE)$": "write `NSE` or `BSE`",
    "^[a-z]+$": "write small letters alone",
    "^[A-Z]{2}[A-Z0-9]{10}$": "write an ISIN: two letters, then ten letters and digits",
    "^[!-~]*$": "write the tag as the answer before had it",
    "^[!-~]([ -~]{0,98}[!-~])?$": "write up to 100 plain letters, digits and signs",
    '^"[0-9]{1,19}"$': "write the version that was seen in quotes, as its ETag has it",
    '^"[0-9]{1,19}(-[0-9]{1,19}){0,8}"$': "write the version that was seen, in quotes",
    r"^-?[0-9]{1,15}(\.[0-9]{1,4})?$": "write rupees in plain digits: 1017.50",
    r"^([0-9]{1,19}|[A-Za-z_]{2,20}:[A-Za-z0-9&_. -]{1,90})$": "write an id, or NSE:SBIN",
    "^(0|-?[1-9][0-9]{0,17})$": "write a whole number in plain digits",
}
"""What would be right, for each pattern that a door asks for: nobody has to read patterns."""
LOST: Final[dict[int, str]] = {
    HTTPStatus.NOT_FOUND: "There is no page at this address; it may be mistyped.",
    HTTPStatus.METHOD_NOT_ALLOWED: "There is no page to open here; a form is sent to this address.",
}
"""What a browser is told where no page is."""
OF_PROGRAMS: Final = ("/v1/", "/api/", "/hooks/")
CHALLENGE: Final = 'ApiKey realm="bahi", header="X-API-Key"'


class Problem(BaseModel):
    """What went wrong: the sentence for people, the code for programs."""

    status: Literal["error"]
    code: str
    message: str
    request_id: str


def status_of(failure: type[BahiError]) -> HTTPStatus:
    """Return the status of a kind of failure."""
    return next(STATUS[kind] for kind in failure.__mro__ if kind in STATUS)


def answer_to(request: Request, failure: BahiError) -> Response:
    """Answer with a failure, in the form of the door that was asked."""
    status = status_of(type(failure))
    retry_after_s = RETRY_AFTER_S.get(status)
    if isinstance(failure, LoginFailed):
        status = LOGIN_STATUS.get(failure.reason, status)
        retry_after_s = COOLDOWN_S if failure.reason is LoginFailure.RATE_LIMIT else None
    if isinstance(failure, TooSoon):
        retry_after_s = failure.retry_after_s
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = CHALLENGE
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("%s", failure)
    return _said(request, status, failure.code, str(failure), headers)


def _said(
    request: Request,
    status: int,
    code: str,
    message: str,
    headers: Mapping[str, str] | None = None,
) -> Response:
    request_id = getattr(request.state, "request_id", "")
    request.state.failure = f"{code}: {message}"
    as_page = getattr(request.state, "failure_page", None)
    if as_page is not None:
        page: Response = as_page(request, status, message, headers)
        return page
    return problem(status, code, message, request_id, headers)


def problem(
    status: int,
    code: str,
    message: str,
    request_id: str,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Answer a program with what went wrong."""
    said = Problem(status="error", code=code, message=message, request_id=request_id)
    return JSONResponse(said.model_dump(), status, headers)


def answer_failures(app: FastAPI) -> None:
    """Teach an application to answer every failure in the one form."""
    app.add_exception_handler(BahiError, _failed)
    app.add_exception_handler(RequestValidationError, _misunderstood)
    app.add_exception_handler(HTTPException, _refused)
    app.add_middleware(Unexpected)


async def _failed(request: Request, failure: Exception) -> Response:
    assert isinstance(failure, BahiError)  # noqa: S101 - what it was registered for
    return answer_to(request, failure)


async def _misunderstood(request: Request, failure: Exception) -> Response:
    assert isinstance(failure, RequestValidationError)  # noqa: S101 - what it was registered for
    first = failure.errors()[0]  # never its input, which may be a secret
    return _said(request, HTTPStatus.BAD_REQUEST, kernel.Invalid.code, _what_is_wrong(first))


def _what_is_wrong(first: Mapping[str, Any]) -> str:
    """Say what would be right; where it is, only so far as a line has room."""
    if first["type"] == "json_invalid":
        at = first["loc"][-1]
        return f"body: this is no JSON; it cannot be read from character {at} on."
    where = redact_text(".".join(str(part)[:60] for part in first["loc"][:20]))
    if len(where) > WHERE_AT_MOST:
        where = f"{where[: WHERE_AT_MOST - 1]}…"
    said = str(first["ctx"]["error"]) if first["type"] == "value_error" else first["msg"]
    if first["type"] == "string_pattern_mismatch":
        said = RIGHT.get(first["ctx"]["pattern"], "it holds characters that cannot be there")
    return f"{where}: {said}."


async def _refused(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, HTTPException)  # noqa: S101 - what it was registered for
    status = HTTPStatus(refusal.status_code)
    message = f"{status.description or status.phrase}."
    if status in LOST and _is_lost(request):
        request.state.failure_page = request.app.state.failure_page
        message = LOST[status]
    return _said(request, status, status.name.lower(), message, refusal.headers)


def _is_lost(request: Request) -> bool:
    """Say whether a person's browser came to where no page is."""
    wants_page = request.headers.get("accept", "").lower().startswith("text/html")
    is_door = request.url.path.startswith(OF_PROGRAMS)
    return wants_page and not is_door and hasattr(request.app.state, "failure_page")


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
            log.exception("%s failed", operation_of(scope))
            message = "Something unexpected went wrong here; it is in the log."
            answer = _said(Request(scope), 500, BahiError.code, message)
            await answer(scope, receive, send)


def operation_of(scope: Scope) -> str:
    """Name what was asked by its route: the path itself may carry a secret."""
    path = getattr(scope.get("route"), "path", "(nowhere)")
    return f"{scope['method']} {path}"


MEANING: Final = {
    400: "The request could not be understood.",
    401: "Nobody known asked: no key or session, or one that opens nothing.",
    403: "The key or the person may not do this.",
    404: "There is no such thing, or it is somebody else's.",
    409: "Something else is in the way.",
    412: "It has changed since it was looked at.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "The broker said no.",
    429: "Too much was asked; `Retry-After` says when to come again.",
    502: "The broker gave an answer that could not be used.",
    503: "Something that is needed does not answer; nothing happened.",
    504: "No answer came in time; it may or may not have happened.",
}


PROBLEM: Final = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def problem_answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe failures for OpenAPI.

    They name the one schema of problems: as a model of each route it would be built a thousand
    times, at each start.
    """
    return {it: {"content": PROBLEM, "description": MEANING[it]} for it in statuses}


def describe_problems(document: dict[str, Any]) -> None:
    """Put the schema that they name into an OpenAPI document."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = Problem.model_json_schema()
