"""Secrets stay secret, and open only where they belong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.kernel.crypto import PasswordCost, Passwords, Vault, key_id_of
from bahi.kernel.errors import (
    BahiError,
    Invalid,
    KeyMissing,
    Misconfigured,
    NotFound,
    SealBroken,
)
from bahi.kernel.keyring import Keyring

PLACE = {"table": "broker_tokens", "column": "access_token_enc", "row_id": 42}
CHEAP = PasswordCost(passes=1, memory_kib=8, lanes=1)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keyring.json"


@pytest.fixture
def keyring(path):
    return Keyring.create(path)


@pytest.fixture
def vault(keyring):
    return Vault(keyring)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A vault for the properties, which may share one."""
    return Vault(Keyring.create(tmp_path_factory.mktemp("keys") / "keyring.json"))


# Sealing


@given(secret=st.binary(max_size=200))
def test_what_is_sealed_opens_again(kept, secret):
    sealed = kept.seal(secret, **PLACE)
    assert kept.open(sealed, **PLACE) == secret


@given(secret=st.text())
def test_text_is_sealed_as_utf8(kept, secret):
    assert kept.open(kept.seal(secret, **PLACE), **PLACE) == secret.encode()


@given(st.data())
def test_a_seal_with_any_bit_turned_does_not_open(kept, data):
    sealed = bytearray(kept.seal(data.draw(st.binary(max_size=40)), **PLACE))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises((SealBroken, KeyMissing)):
        kept.open(bytes(sealed), **PLACE)


@given(st.data())
def test_a_seal_cut_short_does_not_open(kept, data):
    sealed = kept.seal("a secret", **PLACE)
    with pytest.raises(SealBroken):
        kept.open(sealed[: data.draw(st.integers(0, len(sealed) - 1))], **PLACE)


words = st.text(max_size=8)
places = st.fixed_dictionaries(
    {"table": words, "column": words, "row_id": st.one_of(st.integers(0, 9), words)}
)


@given(here=places, there=places)
def test_a_seal_opens_in_its_own_place_alone(kept, here, there):
    sealed = kept.seal("a secret", **here)
    if here == there:
        assert kept.open(sealed, **there) == b"a secret"
    else:
        with pytest.raises(SealBroken, match="changed, or moved here from another place"):
            kept.open(sealed, **there)


def test_one_secret_sealed_twice_looks_different(vault):
    assert vault.seal("a secret", **PLACE) != vault.seal("a secret", **PLACE)


# Rotation


def test_after_rotation_old_seals_open_and_new_ones_bear_the_new_key(keyring, vault):
    old_key = keyring.active
    old = vault.seal("old", **PLACE)
    new_key = keyring.add_key()
    new = vault.seal("new", **PLACE)
    assert (key_id_of(old), key_id_of(new)) == (old_key, new_key)
    assert keyring.key_ids == (old_key, new_key)
    assert vault.open(old, **PLACE) == b"old"
    assert vault.open(new, **PLACE) == b"new"


def test_a_retired_key_opens_nothing_any_more(keyring, vault):
    old_key = keyring.active
    old = vault.seal("old", **PLACE)
    keyring.add_key()
    keyring.retire(old_key)
    assert old_key not in keyring.key_ids
    with pytest.raises(KeyMissing, match=f"Key {old_key} is not in the keyring"):
        vault.open(old, **PLACE)


def test_the_active_key_and_an_unknown_one_cannot_be_retired(keyring):
    before = keyring.key_ids
    with pytest.raises(Invalid, match="is the active one"):
        keyring.retire(keyring.active)
    with pytest.raises(NotFound, match="There is no key 00000000"):
        keyring.retire("00000000")
    assert keyring.key_ids == before


def test_a_rotation_by_another_process_is_followed_at_the_next_seal(path, vault):
    elsewhere = Keyring.load(path)
    new_key = elsewhere.add_key()
    sealed = vault.seal("a secret", **PLACE)
    assert key_id_of(sealed) == new_key
    assert Vault(elsewhere).open(sealed, **PLACE) == b"a secret"


def test_many_rotations_at_once_lose_no_key(path, keyring):
    with ThreadPoolExecutor(8) as threads:
        added = list(threads.map(lambda _: Keyring.load(path).add_key(), range(16)))
    assert len(keyring.key_ids) == 17
    assert set(added) < set(keyring.key_ids)
    assert keyring.active in added


# The file


CREATE = """
import sys
from pathlib import Path
from bahi.kernel.crypto import Vault
from bahi.kernel.keyring import Keyring
print("ready", flush=True)
sys.stdin.readline()
keyring = Keyring.create(Path(sys.argv[1]))
print(keyring.active, Vault(keyring).digest("same?", "test"), flush=True)
"""


def test_processes_that_create_it_at_once_end_with_the_same_keys(path):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CREATE, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = {process.communicate(timeout=60)[0] for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    assert len(answers) == 1
    assert list(path.parent.iterdir()) == [path]


def test_threads_that_create_it_at_once_end_with_the_same_keys(tmp_path):
    for round_ in range(20):
        path = tmp_path / f"keyring-{round_}.json"
        with ThreadPoolExecutor(4) as threads:
            rings = list(threads.map(lambda _, path=path: Keyring.create(path), range(4)))
        assert len({Vault(ring).digest("same?", "test") for ring in rings}) == 1


def test_creating_it_again_keeps_the_keys(path, keyring):
    text = path.read_text()
    assert Keyring.create(path).active == keyring.active
    assert path.read_text() == text


def test_the_file_is_for_its_owner_alone_from_the_first_and_after_rotation(path):
    umask = os.umask(0)
    try:
        keyring = Keyring.create(path)
        assert path.stat().st_mode & 0o777 == 0o600
        keyring.add_key()
    finally:
        os.umask(umask)
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o602])
def test_a_file_open_to_others_is_refused_with_the_way_to_mend_it(path, keyring, mode):
    path.chmod(mode)
    with pytest.raises(Misconfigured, match=f"close it with: chmod 600 {path}"):
        Keyring.load(path)
    with pytest.raises(Misconfigured, match="chmod 600"):
        keyring.active  # noqa: B018 - found out while running, too
    path.chmod(0o600)
    assert Keyring.load(path).active == keyring.active


def test_a_file_that_is_gone_is_never_quietly_replaced(path, keyring, vault):
    path.unlink()
    with pytest.raises(Misconfigured, match="put it back from a copy"):
        Keyring.load(path)
    with pytest.raises(Misconfigured, match="put it back from a copy"):
        vault.seal("a secret", **PLACE)
    with pytest.raises(Misconfigured, match="put it back from a copy"):
        keyring.add_key()
    assert not path.exists()


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(Misconfigured, match="There is no folder"):
        Keyring.create(tmp_path / "nowhere" / "keyring.json")


def damaged(form, /, **changes):
    return json.dumps({**form, **changes})


def test_a_damaged_file_is_refused(path, keyring):
    form = json.loads(path.read_text())
    other = "A" * 43 + "="
    for text in (
        *("", "{", "[]", "null", "{}", path.read_text()[:-20], "\x00\xff"),
        damaged(form, form=2),
        damaged(form, active="00000000"),
        damaged(form, active=[]),
        damaged(form, sealing={}),
        damaged(form, sealing={form["active"]: other}),
        damaged(form, sealing={form["active"]: 7}),
        damaged(form, digest="short"),
        damaged(form, digest=None),
    ):
        path.write_text(text)
        with pytest.raises(Misconfigured, match=r"keyring\.json is not a keyring, or is damaged"):
            Keyring.load(path)


def test_keys_from_the_environment_work_and_are_changed_only_there(path, keyring, vault):
    given_text = Keyring.from_text(path.read_text(), "BAHI_KEYS")
    assert Vault(given_text).open(vault.seal("a secret", **PLACE), **PLACE) == b"a secret"
    for change in (given_text.add_key, lambda: given_text.retire(given_text.active)):
        with pytest.raises(Misconfigured, match="come from the environment"):
            change()
    with pytest.raises(Misconfigured, match="BAHI_KEYS is not a keyring"):
        Keyring.from_text("nonsense", "BAHI_KEYS")


# Digests


@given(secret=st.text(), other=st.text())
def test_a_digest_matches_its_secret_alone(kept, secret, other):
    digest = kept.digest(secret, "api_key")
    assert kept.matches(secret, digest, "api_key")
    assert kept.matches(other, digest, "api_key") is (other == secret)


def test_a_digest_is_64_hex_digits_and_differs_by_purpose(vault):
    digest = vault.digest("a secret", "api_key")
    assert len(bytes.fromhex(digest)) == 32
    assert vault.digest(b"a secret", "api_key") == digest
    assert vault.digest("a secret", "session") != digest
    assert not vault.matches("a secret", digest, "session")
    assert not vault.matches("a secret", "न", "api_key")


def test_digests_survive_rotation_and_differ_between_keyrings(keyring, vault, tmp_path):
    digest = vault.digest("a secret", "api_key")
    old_key = keyring.active
    keyring.add_key()
    keyring.retire(old_key)
    assert vault.digest("a secret", "api_key") == digest
    stranger = Vault(Keyring.create(tmp_path / "another.json"))
    assert stranger.digest("a secret", "api_key") != digest


# Passwords


@given(password=st.text(min_size=1, max_size=50), other=st.text(max_size=50))
def test_a_hash_verifies_its_password_alone(password, other):
    passwords = Passwords(CHEAP)
    stored = passwords.hash(password)
    assert passwords.verify(stored, password)
    assert passwords.verify(stored, other) is (other == password)


def test_half_a_character_from_json_is_a_password_like_any_other():
    passwords = Passwords(CHEAP)
    assert passwords.verify(passwords.hash("\ud800"), "\ud800")


def test_one_password_hashed_twice_looks_different():
    passwords = Passwords(CHEAP)
    assert passwords.hash("hunter2") != passwords.hash("hunter2")


def test_a_hash_made_at_another_cost_verifies_and_is_due_again():
    stored = Passwords(CHEAP).hash("hunter2")
    dearer = Passwords(PasswordCost(passes=2, memory_kib=8, lanes=1))
    assert dearer.verify(stored, "hunter2")
    assert dearer.needs_rehash(stored)
    assert not Passwords(CHEAP).needs_rehash(stored)


def test_the_cost_in_force_is_argon2id_as_rfc_9106_asks():
    stored = Passwords().hash("hunter2")
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


@pytest.mark.parametrize("password", ["", "x" * 1025])
def test_a_password_of_no_or_boundless_length_is_refused(password):
    passwords = Passwords(CHEAP)
    with pytest.raises(Invalid, match="1 to 1024 bytes"):
        passwords.hash(password)
    assert not passwords.verify(passwords.hash("hunter2"), password)


@pytest.mark.parametrize("stored", ["", "!", "$argon2id$", "$argon2id$v=19$m=8,t=1,p=1$x$y"])
def test_a_damaged_hash_is_told_from_a_wrong_password(stored):
    with pytest.raises(SealBroken, match="cannot be checked"):
        Passwords(CHEAP).verify(stored, "hunter2")


# Nothing tells


CANARY = "canary-7f3a9c"


def failures(path, keyring, vault):
    """Make everything fail that can, with the canary in every place a secret goes."""
    sealed = vault.seal(CANARY, **PLACE)
    old_key = keyring.active
    keyring.add_key()
    keyring.retire(old_key)
    passwords = Passwords(CHEAP)
    yield lambda: vault.open(sealed, **PLACE)
    yield lambda: vault.open(vault.seal(CANARY, **PLACE), **{**PLACE, "row_id": 43})
    yield lambda: vault.open(CANARY.encode(), **PLACE)
    yield lambda: passwords.hash(CANARY * 100)
    yield lambda: passwords.verify("!", CANARY)
    yield lambda: keyring.retire(keyring.active)
    yield lambda: keyring.retire(old_key)
    yield lambda: Keyring.from_text(path.read_text(), "BAHI_KEYS").add_key()
    yield lambda: Keyring.from_text(path.read_text()[:-20], "BAHI_KEYS")
    yield lambda: Keyring.from_text(path.read_text().replace(keyring.active, CANARY), "BAHI_KEYS")


def everything_told(fault):
    """What a log could print of an exception and of all that hangs on to it."""
    while fault is not None:
        yield from (str(fault), repr(fault), repr(vars(fault)), repr(fault.args))
        yield getattr(fault, "doc", "")  # a JSON error carries its text
        yield str(getattr(fault, "object", ""))  # and a Unicode error its string
        fault = fault.__context__


def test_no_error_and_no_repr_holds_a_key_or_a_secret(path, keyring, vault):
    told = [repr(keyring), str(keyring), repr(vault), str(vault), repr(vars(keyring))]
    told += [repr(keyring.sealing_cipher()), repr(Passwords(CHEAP))]
    for fail in failures(path, keyring, vault):
        with pytest.raises(BahiError) as fault:
            fail()
        told += everything_told(fault.value)
    form = json.loads(path.read_text())
    keys = [*form["sealing"].values(), form["digest"]]
    assert len(keys) == 2
    for line in told:
        assert CANARY not in line
        assert not any(key[:-1] in line for key in keys)
