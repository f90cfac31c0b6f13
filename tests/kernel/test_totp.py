"""One-time codes are those of RFC 6238 and of the libraries that people's devices use."""

from __future__ import annotations

from datetime import UTC, datetime

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.kernel.errors import Invalid
from bahi.kernel.totp import code_of, new_secret, step_at, uri_of

RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # 12345678901234567890 of the RFC's appendix B
RFC_CODES = {59: "287082", 1111111109: "081804", 1234567890: "005924", 20000000000: "353130"}


@pytest.mark.parametrize(("second", "code"), RFC_CODES.items())
def test_codes_are_those_of_the_rfc(second: int, code: str) -> None:
    assert code_of(RFC_SECRET, step_at(datetime.fromtimestamp(second, UTC))) == code


@given(st.integers(0, 1 << 40))
def test_codes_are_those_of_another_implementation(step: int) -> None:
    secret = new_secret()
    assert code_of(secret, step) == pyotp.TOTP(secret).generate_otp(step)


def test_short_secrets_spaces_and_small_letters_are_taken() -> None:
    assert code_of("jbsw y3dp ehpk 3pxp", 1) == code_of("JBSWY3DPEHPK3PXP", 1)


@pytest.mark.parametrize("wrong", ["", "   ", "1", "not base32!", "é"])
def test_what_is_no_secret_is_refused_without_quoting_it(wrong: str) -> None:
    with pytest.raises(Invalid, match="letters and digits 2 to 7") as refusal:
        code_of(wrong, 1)
    assert wrong.strip() == "" or wrong not in str(refusal.value) or len(wrong) == 1


def test_an_app_reads_the_uri() -> None:
    read = pyotp.parse_uri(uri_of(RFC_SECRET, "ravi"))
    assert isinstance(read, pyotp.TOTP)
    assert (read.secret, read.name, read.issuer) == (RFC_SECRET, "ravi", "Bahi"), read.name
