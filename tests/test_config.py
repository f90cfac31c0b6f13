"""Settings: every default right, every wrong value named, no password shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.config import DECLARED, STORE_VARIABLES, Settings, place, redacted, settings_page
from bahi.config.kinds import PriceOrigin
from bahi.db.schema import STORES
from bahi.kernel.errors import Misconfigured

HOME = {"BAHI_HOME": "/srv/bahi"}
PASSWORD = "hunter2"
POSTGRES = f"postgresql://desk:{PASSWORD}@db.example/bahi"

WRONG = {
    "BAHI_PORT": ["eighty", "-1", "65536", "8000.0", "٨٠"],
    "DATABASE_URL": [
        "mysql://a/b",
        "main.sqlite",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///d/",
    ],
    "READ_DATABASE_URL": ["nonsense", "sqlite:///x?mode=ro"],
    "DB_POOL_SIZE": ["0", "many"],
    "DB_MAX_OVERFLOW": ["-1"],
    "DB_POOL_TIMEOUT": ["0"],
    "DB_POOL_RECYCLE": ["1e3"],
    "BAHI_MIGRATE": ["perhaps"],
    "BAHI_BACKUPS_KEEP": ["0"],
    "BAHI_BACKUPS_DAYS": ["never"],
    "BAHI_LOG_LEVEL": ["LOUD"],
    "BAHI_MARKET": ["real", "replay:", "simulated:x", "replay"],
    "BAHI_SIMULATED_SEED": ["-1", "lucky"],
    "BAHI_MARKET_ALWAYS_OPEN": ["perhaps"],
    "BAHI_REPLAY_SPEED": ["-1", "0.5"],
    "BAHI_HOME": ["~nobody-of-that-name/x"],
    "BAHI_TRUSTED_PROXIES": [
        "*",
        "proxy.internal",
        "10.0.0.0/33",
        "10.0.0.5/8",
        "10.0.0.5,",
        "10.0.0.5 10.0.0.6",
        "fd00::/200",
        "::ffff:10.0.0.5",
        "0.0.0.0/0",
        "10.0.0.5,::/0",
    ],
}


def read(**environ: str) -> Settings:
    return Settings.from_environment(HOME | environ)


def test_without_any_variable_everything_lies_in_one_folder() -> None:
    settings = Settings.from_environment({})
    assert settings.home == Path("~/.bahi").expanduser()
    assert settings.urls == {s: f"sqlite:///{settings.home}/{s}.sqlite" for s in STORES}
    assert (settings.host, settings.port, settings.migrate) == ("127.0.0.1", 8000, "auto")
    assert settings.pool_size == 50
    assert settings.pool_overflow == 100
    assert settings.pool_timeout_s == 30
    assert settings.pool_recycle_s == 1800
    assert (settings.replica, settings.keys) == (None, None)


def test_every_store_has_its_variable() -> None:
    assert tuple(STORE_VARIABLES) == STORES


@pytest.mark.parametrize("store", STORES)
def test_any_store_moves_by_its_variable_alone(store: str) -> None:
    moved = read(**{STORE_VARIABLES[store]: POSTGRES}).urls
    assert moved == read().urls | {store: POSTGRES}


@pytest.mark.parametrize(
    ("variable", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a_wrong_value_is_named_with_what_would_be_right(variable: str, value: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        read(**{variable: value})
    sentence = str(refused.value)
    assert sentence.startswith(f"{variable} is {value!r}; it must be ")
    assert sentence.endswith(".")


def test_proxies_are_believed_where_they_are_named_and_nobody_is_otherwise() -> None:
    assert read().trusted_proxies == ()
    named = read(BAHI_TRUSTED_PROXIES="10.0.0.5, 10.1.0.0/16,fd00::/8").trusted_proxies
    assert [str(network) for network in named] == ["10.0.0.5/32", "10.1.0.0/16", "fd00::/8"]


def test_an_empty_variable_counts_as_not_set() -> None:
    assert read(**dict.fromkeys((s.name for s in DECLARED.values()), "")).port == 8000


def test_a_relative_file_lies_in_the_data_folder() -> None:
    assert read(LOGS_DATABASE_URL="sqlite:///old/logs.db").logs == "sqlite:////srv/bahi/old/logs.db"
    assert read(LOGS_DATABASE_URL="sqlite:////var/logs.db").logs == "sqlite:////var/logs.db"


def test_two_stores_in_one_file_are_refused() -> None:
    with pytest.raises(Misconfigured, match="DATABASE_URL and LOGS_DATABASE_URL name one file"):
        read(LOGS_DATABASE_URL="sqlite:///main.sqlite")


def test_six_stores_in_one_postgresql_are_six_schemas() -> None:
    settings = read(**dict.fromkeys(STORE_VARIABLES.values(), POSTGRES))
    assert set(settings.urls.values()) == {POSTGRES}


@pytest.mark.parametrize(
    ("main", "replica"),
    [("", POSTGRES), (POSTGRES, "sqlite:///copy.sqlite")],
    ids=["of SQLite", "on SQLite"],
)
def test_only_a_postgresql_main_has_a_replica(main: str, replica: str) -> None:
    with pytest.raises(Misconfigured, match="READ_DATABASE_URL"):
        read(DATABASE_URL=main, READ_DATABASE_URL=replica)
    assert read(DATABASE_URL=POSTGRES, READ_DATABASE_URL=POSTGRES).replica == POSTGRES


def test_no_refusal_shows_a_password() -> None:
    for url in (f"mysql://desk:{PASSWORD}@db/x", f"postgresql://desk:{PASSWORD}%zz@db/x"):
        with pytest.raises(Misconfigured) as refused:
            read(DATABASE_URL=url)
        assert PASSWORD not in str(refused.value)


def test_what_is_printed_of_settings_holds_no_secret() -> None:
    settings = read(DATABASE_URL=POSTGRES, READ_DATABASE_URL=POSTGRES, BAHI_KEYS=PASSWORD)
    assert PASSWORD not in repr(settings) + str(settings)


awkward = st.text(st.sampled_from(list("ab:/@?&=#% ")), min_size=1, max_size=12).map(
    lambda text: f"{PASSWORD}{text}{PASSWORD}"
)


@given(password=awkward)
def test_a_password_of_any_letters_is_hidden(password: str) -> None:
    assert PASSWORD not in redacted(f"postgresql://desk:{password}@db.example:5433/bahi")
    assert PASSWORD not in place(f"postgresql://desk:{password}@db.example:5433/bahi")


@given(password=st.text(st.sampled_from(list("ab:/@?=#% ")), max_size=12))
def test_a_password_among_the_options_is_hidden(password: str) -> None:
    url = f"postgresql://db.example/bahi?user=desk&password={PASSWORD}{password}{PASSWORD}"
    assert PASSWORD not in redacted(url)


def test_a_place_is_said_as_people_say_it() -> None:
    assert place("sqlite:////srv/bahi/main.sqlite") == "/srv/bahi/main.sqlite"
    assert place(POSTGRES) == "PostgreSQL at db.example/bahi"


def test_the_page_of_settings_names_every_one_with_its_meaning() -> None:
    page = settings_page()
    for setting in DECLARED.values():
        assert f"| `{setting.name}` |" in page
        assert setting.meaning in page


def test_where_prices_come_from_is_read_with_its_file() -> None:
    assert read().market == PriceOrigin("simulated")
    assert read(BAHI_MARKET="off").market == PriceOrigin("off")
    replay = read(BAHI_MARKET="replay:days/monday.csv").market
    assert replay == PriceOrigin("replay", Path("/srv/bahi/days/monday.csv"))
    assert read(BAHI_MARKET="REPLAY:/tmp/day.csv").market.file == Path("/tmp/day.csv")
