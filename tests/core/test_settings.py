"""The environment: each variable, what takes its place, and what a bad value does."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltap.core.settings import GIB, Settings, as_bool, as_bytes, as_seconds, in_container, resolve

HOME = {"HOME": "/home/ann"}
NAMES = (
    "MODELTAP_STORE",
    "MODELTAP_WORKSPACE",
    "MODELTAP_SERVICE",
    "MODELTAP_MODEL_VERSION",
    "MODELTAP_COLLECT_MODEL_DATA",
    "MODELTAP_DISABLED",
    "MODELTAP_SPOOL",
    "MODELTAP_SPOOL_GROUP",
    "MODELTAP_SPOOL_MAX_BYTES",
    "MODELTAP_SHIPPER",
    "MODELTAP_FLUSH_SECONDS",
    "MODELTAP_EXIT_FLUSH_SECONDS",
    "MODELTAP_UNKNOWN_STATE",
    "MODELTAP_DURABILITY",
)
OTHERS = ("AML_MODEL_DC_STORAGE", "AML_MODEL_DC_STORAGE_ENABLED", "SERVICE_NAME", "STATE_DIRECTORY", "XDG_STATE_HOME")


def settings(**variables: str) -> Settings:
    return resolve({**HOME, **variables})


def outside_containers() -> bool:
    return not in_container({})


def test_an_empty_environment_gives_the_defaults():
    found = settings()

    assert found.store == "/home/ann/.local/share/modeltap"
    assert found.workspace == ("default", "default", "default")
    assert (found.service, found.model_version) == ("default", "default")
    assert (found.collect, found.disabled, found.debug) == (True, False, False)
    assert found.boundary_minutes == 1440
    assert (found.spool_group, found.spool_max_bytes) == ("", GIB)
    assert (found.shipper, found.durability, found.unknown_state) == ("process", "process", "collect")
    assert found.flush_seconds == 1.0
    assert found.problems == ()


def test_every_field_names_its_source():
    fields = set(Settings.__dataclass_fields__) - {"sources", "problems"}

    assert set(settings().sources) == fields
    assert set(settings().sources.values()) == {"default"}


@pytest.mark.parametrize(
    ("variable", "value", "field", "expected"),
    [
        ("MODELTAP_STORE", "/srv/data", "store", "/srv/data"),
        ("MODELTAP_STORE", "file:///srv/data/", "store", "/srv/data"),
        ("MODELTAP_STORE", "s3://bucket/a", "store", "s3://bucket/a"),
        ("MODELTAP_STORE", "AccountName=a;AccountKey=b", "store", "AccountName=a;AccountKey=b"),
        ("MODELTAP_WORKSPACE", "s/g/w", "workspace", ("s", "g", "w")),
        ("MODELTAP_WORKSPACE", "s", "workspace", ("s", "default", "default")),
        ("MODELTAP_SERVICE", " shop ", "service", "shop"),
        ("MODELTAP_MODEL_VERSION", "3", "model_version", "3"),
        ("MODELTAP_COLLECT_MODEL_DATA", "false", "collect", False),
        ("MODELTAP_DISABLED", "true", "disabled", True),
        ("MODELTAP_SPOOL", "/var/spool/x/../y", "spool", "/var/spool/y"),
        ("MODELTAP_SPOOL_GROUP", "collectors", "spool_group", "collectors"),
        ("MODELTAP_SPOOL_MAX_BYTES", "64MiB", "spool_max_bytes", 64 << 20),
        ("MODELTAP_SHIPPER", "Thread", "shipper", "thread"),
        ("MODELTAP_SHIPPER", "none", "shipper", "none"),
        ("MODELTAP_FLUSH_SECONDS", "0.25", "flush_seconds", 0.25),
        ("MODELTAP_EXIT_FLUSH_SECONDS", "7", "exit_flush_seconds", 7.0),
        ("MODELTAP_UNKNOWN_STATE", "drop", "unknown_state", "drop"),
        ("MODELTAP_DURABILITY", "memory", "durability", "memory"),
        ("AML_MODEL_DC_STORAGE", "AccountName=a;AccountKey=b", "store", "AccountName=a;AccountKey=b"),
        ("AML_MODEL_DC_STORAGE_ENABLED", "true", "collect", True),
        ("AML_MODEL_DC_STORAGE_ENABLED", "false", "collect", False),
        ("AML_MODEL_DC_STORAGE_ENABLED", "1", "collect", False),
        ("AML_MODEL_DC_DEBUG", "True", "debug", True),
        ("AML_MODEL_DC_DEBUG", "1", "debug", False),
        ("AML_MODEL_DC_BOUNDARY", "Hour", "boundary_minutes", 60),
        ("AML_MODEL_DC_BOUNDARY", "day", "boundary_minutes", 1440),
        ("SERVICE_NAME", "shop", "service", "shop"),
        ("OTEL_SERVICE_NAME", "shop", "service", "shop"),
        ("K_SERVICE", "shop", "service", "shop"),
    ],
)
def test_a_variable_sets_its_field_and_is_named_as_the_source(variable, value, field, expected):
    found = settings(**{variable: value})

    assert getattr(found, field) == expected
    assert found.sources[field] == variable
    assert found.problems == ()


def test_every_variable_of_the_contract_is_read():
    class Asked(dict[str, str]):
        def get(self, name: str, default: object = None) -> object:
            seen.add(name)
            return super().get(name, default)

    seen: set[str] = set()
    resolve(Asked(HOME))

    assert {*NAMES, *OTHERS} <= seen
    assert not {name for name in seen if name.startswith(("MODELTAP_PORT", "MODELTAP_SERVICE_"))}


def test_the_service_falls_back_in_the_documented_order():
    names = ["MODELTAP_SERVICE", "SERVICE_NAME", "OTEL_SERVICE_NAME", "K_SERVICE"]
    for first in range(len(names)):
        assert settings(**{name: name.lower() for name in names[first:]}).service == names[first].lower()


def test_our_own_variable_goes_before_the_originals():
    found = settings(
        MODELTAP_STORE="/srv/a",
        AML_MODEL_DC_STORAGE="AccountName=a;AccountKey=b",
        MODELTAP_COLLECT_MODEL_DATA="true",
        AML_MODEL_DC_STORAGE_ENABLED="false",
    )

    assert (found.store, found.collect) == ("/srv/a", True)
    assert found.sources["collect"] == "MODELTAP_COLLECT_MODEL_DATA"


def test_an_empty_variable_is_not_set():
    found = settings(
        MODELTAP_STORE=" ",
        MODELTAP_SERVICE="",
        SERVICE_NAME="shop",
        MODELTAP_COLLECT_MODEL_DATA="",
        AML_MODEL_DC_STORAGE_ENABLED=" ",
    )

    assert found.store == settings().store
    assert found.service == "shop"
    assert found.collect is True


@pytest.mark.parametrize(
    ("variable", "value", "field"),
    [
        ("MODELTAP_WORKSPACE", "a/b/c/d", "workspace"),
        ("MODELTAP_COLLECT_MODEL_DATA", "maybe", "collect"),
        ("MODELTAP_DISABLED", "2", "disabled"),
        ("MODELTAP_SPOOL_MAX_BYTES", "much", "spool_max_bytes"),
        ("MODELTAP_SPOOL_MAX_BYTES", "0", "spool_max_bytes"),
        ("MODELTAP_SPOOL_MAX_BYTES", "-1", "spool_max_bytes"),
        ("MODELTAP_SPOOL_MAX_BYTES", "0.2", "spool_max_bytes"),
        ("MODELTAP_SPOOL_MAX_BYTES", "inf", "spool_max_bytes"),
        ("MODELTAP_SPOOL_MAX_BYTES", "1e999 GB", "spool_max_bytes"),
        ("MODELTAP_SPOOL_MAX_BYTES", "nan", "spool_max_bytes"),
        ("MODELTAP_SHIPPER", "pigeon", "shipper"),
        ("MODELTAP_FLUSH_SECONDS", "soon", "flush_seconds"),
        ("MODELTAP_FLUSH_SECONDS", "-1", "flush_seconds"),
        ("MODELTAP_FLUSH_SECONDS", "inf", "flush_seconds"),
        ("MODELTAP_EXIT_FLUSH_SECONDS", "nan", "exit_flush_seconds"),
        ("MODELTAP_UNKNOWN_STATE", "guess", "unknown_state"),
        ("MODELTAP_DURABILITY", "diamond", "durability"),
    ],
)
def test_a_value_that_cannot_be_used_gives_the_default_and_a_sentence(variable, value, field):
    found = settings(**{variable: value})

    assert getattr(found, field) == getattr(settings(), field)
    assert found.sources[field] == "default"
    (problem,) = found.problems
    assert problem.startswith(f"{variable}={value!r} cannot be used")


def test_a_store_that_is_unknown_is_told_and_no_other_takes_its_place():
    found = settings(MODELTAP_STORE="ftp://ann:geheim@host/x")

    assert found.store == "ftp://ann:geheim@host/x"
    (problem,) = found.problems
    assert "'ftp' is unknown" in problem
    assert "geheim" not in problem


@given(
    st.dictionaries(
        st.sampled_from((*NAMES, *OTHERS, "HOME", "XDG_DATA_HOME")),
        st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=12),
    )
)
def test_no_environment_stops_a_scoring_process(environment):
    found = resolve(environment)

    assert os.path.isabs(found.spool)
    assert found.spool_max_bytes > 0


# ---- places


def test_the_store_stands_in_the_data_home_by_default():
    assert settings(XDG_DATA_HOME="/data").store == "/data/modeltap"


def test_the_spool_follows_the_documented_order(tmp_path):
    spool, state, home = (str(tmp_path / name) for name in ("spool", "state", "home"))
    every = {"MODELTAP_SPOOL": spool, "STATE_DIRECTORY": state, "XDG_STATE_HOME": home}

    assert settings(**every).spool == spool
    assert settings(STATE_DIRECTORY=state, XDG_STATE_HOME=home).spool == state
    assert settings(XDG_STATE_HOME=home).spool == os.path.join(home, "modeltap")
    assert resolve({"HOME": home}).spool == os.path.join(home, ".local", "state", "modeltap")


def test_of_several_state_directories_the_first_is_taken():
    assert settings(STATE_DIRECTORY="/var/lib/a:/var/lib/b").spool == "/var/lib/a"
    assert settings(MODELTAP_SPOOL="/var/lib/a:b").spool == "/var/lib/a:b"


def test_a_spool_below_the_home_is_written_with_a_tilde(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    assert settings(MODELTAP_SPOOL="~/spool").spool == "/home/ann/spool"


@pytest.mark.parametrize("variables", [{"XDG_STATE_HOME": "state/of/ann"}, {"HOME": "ann"}, {"XDG_STATE_HOME": "."}])
def test_a_relative_home_gives_a_private_folder_under_var_tmp(variables):
    assert resolve({**HOME, **variables}).spool == f"/var/tmp/modeltap-{os.getuid()}"


def test_a_home_that_cannot_hold_folders_gives_a_private_folder_under_var_tmp(tmp_path):
    (tmp_path / "file").touch()
    homes = [str(tmp_path / "file"), "/proc/self/nowhere"]
    for home in homes if os.geteuid() else homes[:1]:
        assert settings(XDG_STATE_HOME=home).spool == f"/var/tmp/modeltap-{os.getuid()}"


@pytest.mark.parametrize(
    ("store", "seconds"),
    [
        ("/srv/data", 1.0),
        ("az://logs", 10.0),
        ("AccountName=a;AccountKey=b", 10.0),
        ("s3://bucket", 60.0),
        ("gs://bucket", 60.0),
        ("ftp://host", 1.0),
    ],
)
def test_rows_wait_longer_where_a_write_is_billed(store, seconds):
    assert settings(MODELTAP_STORE=store).flush_seconds == seconds


def test_the_exit_waits_where_agent_or_spool_end_with_the_container():
    inside = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}

    assert settings(**inside).exit_flush_seconds == 20.0
    assert settings(**inside, MODELTAP_SPOOL="/mnt/spool").exit_flush_seconds == 0.0
    assert settings(**inside, MODELTAP_SPOOL="/mnt/spool", MODELTAP_SHIPPER="thread").exit_flush_seconds == 20.0
    assert settings(**inside, MODELTAP_EXIT_FLUSH_SECONDS="0").exit_flush_seconds == 0.0


def test_outside_a_container_the_exit_does_not_wait():
    assert settings().exit_flush_seconds == (0.0 if outside_containers() else 20.0)


# ---- values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((text, True) for text in ("true", "TRUE", "1", "yes", "on")),
        *((text, False) for text in ("false", "False", "0", "no", "off")),
    ],
)
def test_truth_has_four_spellings(text, value):
    assert as_bool(text) is value


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1048576", 1 << 20),
        ("512MiB", 512 << 20),
        ("1GiB", GIB),
        ("10MB", 10**7),
        ("1.5 kib", 1536),
        ("2kb", 2000),
        ("1_000", 1000),
        ("7b", 7),
        ("1e6", 10**6),
    ],
)
def test_bytes_have_units(text, amount):
    assert as_bytes(text) == amount


@pytest.mark.parametrize(("text", "seconds"), [("0", 0.0), ("1.5", 1.5), ("1e3", 1000.0)])
def test_seconds_are_numbers(text, seconds):
    assert as_seconds(text) == seconds


def test_the_process_environment_is_read_by_default(monkeypatch):
    monkeypatch.setenv("MODELTAP_SERVICE", "from-the-environment")
    assert resolve().service == "from-the-environment"
