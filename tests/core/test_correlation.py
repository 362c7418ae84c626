"""Request ids, correlation ids, and the eight values of the original's API."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltap.core.correlation import (
    CORRELATION_COLUMNS,
    MAX_ROW,
    CarriedId,
    Writer,
    correlation_uuid,
    is_correlations,
    is_uuid,
    read_correlation_id,
    with_user_id,
)

WRITER = Writer.from_bytes(bytes(range(0x10, 0x1A)))
REQUEST = WRITER.request_id(7)
OTHER_REQUEST = WRITER.request_id(8)
UUIDS = st.uuids().map(str)
USER_IDS = st.text(max_size=40) | UUIDS | st.tuples(st.text(max_size=5), UUIDS).map("-".join) | st.text("-", max_size=3)


def test_a_request_id_is_a_uuid_of_its_writer_and_its_number():
    assert REQUEST == "10111213-1415-1617-1819-000000000007"
    assert str(uuid.UUID(REQUEST)) == REQUEST


def test_request_ids_are_unique_over_writers_and_numbers():
    other = Writer.from_bytes(bytes(10))
    numbers = [0, 1, 255, 1 << 32, (1 << 48) - 1]

    assert len({writer.request_id(number) for writer in (WRITER, other) for number in numbers}) == 10


def test_a_correlation_id_says_request_and_rows_in_the_form_of_a_uuid():
    made = correlation_uuid(REQUEST, 3, 2)

    assert made == "00000007-1011-1213-1415-000003000002"
    assert is_uuid(made)


@given(st.binary(min_size=10, max_size=10), st.integers(0, (1 << 48) - 1), st.integers(0, MAX_ROW - 1), USER_IDS)
def test_what_was_written_is_read_back(writer, number, first_row, user_id):
    request = Writer.from_bytes(writer).request_id(number)
    for rows in (1, 1000, MAX_ROW - 1):
        text = with_user_id(user_id, correlation_uuid(request, first_row, rows))

        assert read_correlation_id(text, request) == CarriedId(user_id, first_row, rows)


@pytest.mark.parametrize(
    "user_id",
    [
        "loan-17",
        "-",
        "--",
        "a-",
        "-a",
        "b3c1e0a2-5d0c-4f4e-8a6b-0123456789ab",
        "x-b3c1e0a2-5d0c-4f4e-8a6b-0123456789ab",
        "",
    ],
)
def test_the_users_own_id_may_contain_dashes_and_uuids(user_id):
    text = with_user_id(user_id, correlation_uuid(REQUEST, 0, 1))

    assert read_correlation_id(text, REQUEST) == CarriedId(user_id, 0, 1)


@pytest.mark.parametrize(("first_row", "rows"), [(MAX_ROW, 1), (0, MAX_ROW), (0, 0), (-1, 1)])
def test_rows_that_do_not_fit_pair_with_nothing(first_row, rows):
    made = correlation_uuid(REQUEST, first_row, rows)

    assert is_uuid(made)
    assert read_correlation_id(f"me-{made}", REQUEST) == CarriedId("me", None, 0)


def test_the_id_of_another_request_names_no_row():
    text = with_user_id("me", correlation_uuid(OTHER_REQUEST, 0, 1))

    assert read_correlation_id(text, REQUEST) == CarriedId("me", None, 0)


def test_the_id_of_another_writer_names_no_row():
    foreign = Writer.from_bytes(bytes(10)).request_id(7)

    assert read_correlation_id(correlation_uuid(foreign, 0, 1), REQUEST).first_row is None


def test_what_the_original_wrote_keeps_the_users_id_and_names_no_row():
    text = "loan-17-b3c1e0a2-5d0c-4f4e-8a6b-0123456789ab"

    assert read_correlation_id(text, "00000000-0000-0000-0000-000000000000") == CarriedId("loan-17", None, 0)


@pytest.mark.parametrize(
    "text", ["", "loan-17", "B3C1E0A2-5D0C-4F4E-8A6B-0123456789AB", "x" * 36, "\u0663" * 36, "-" * 36]
)
def test_a_text_that_is_no_correlation_id_is_the_users_own(text):
    assert read_correlation_id(text, REQUEST) == CarriedId(text, None, 0)


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_text_makes_reading_fail(text, request):
    found = read_correlation_id(text, request)

    assert text.startswith(found.user_id)


@given(UUIDS, st.text(max_size=40))
def test_uuids_are_recognised_by_their_form(good, other):
    assert is_uuid(good)
    assert not is_uuid(good.upper()) or good.upper() == good
    assert not is_uuid(good[:-1])
    assert not is_uuid(good.replace("-", ""))
    assert not is_uuid(other) or str(uuid.UUID(other)) == other


# ---- the eight values


def values(**changes: object) -> list[object]:
    made: dict[str, object] = {
        "$aml_dc_correlation_id": correlation_uuid(REQUEST, 0, 1),
        "$aml_dc_scoring_timestamp": "2026-11-22T21:39:52.656442",
        "$aml_dc_boundary": 1440,
        "$aml_workspace": "sub/rg/ws",
        "$aml_service_name": "svc",
        "$aml_model_name": "best_model",
        "$aml_model_version": "3",
        "$aml_request_id": REQUEST,
    }
    return list({**made, **changes}.values())


def test_the_eight_columns_stand_in_the_originals_order():
    assert CORRELATION_COLUMNS == (
        "$aml_dc_correlation_id",
        "$aml_dc_scoring_timestamp",
        "$aml_dc_boundary",
        "$aml_workspace",
        "$aml_service_name",
        "$aml_model_name",
        "$aml_model_version",
        "$aml_request_id",
    )


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"$aml_dc_correlation_id": f"loan-17-{correlation_uuid(REQUEST, 0, 1)}"},
        {"$aml_dc_boundary": 60},
        {"$aml_dc_boundary": "1440"},
        {"$aml_dc_scoring_timestamp": "2026-11-22T21:39:52"},
        {"$aml_request_id": "00000000-0000-0000-0000-000000000000"},
    ],
)
def test_the_eight_values_are_recognised_by_their_forms(changes):
    assert is_correlations(values(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"$aml_dc_correlation_id": "loan-17"},
        {"$aml_dc_correlation_id": 17},
        {"$aml_dc_scoring_timestamp": "22.11.2026 21:39:52"},
        {"$aml_dc_scoring_timestamp": 1.5},
        {"$aml_dc_boundary": 24},
        {"$aml_workspace": "ws"},
        {"$aml_workspace": None},
        {"$aml_request_id": "r-1"},
        {"$aml_request_id": None},
    ],
)
def test_other_values_are_data(changes):
    assert not is_correlations(values(**changes))


def test_seven_or_nine_values_are_data():
    assert not is_correlations(values()[:-1])
    assert not is_correlations([*values(), "x"])
    assert not is_correlations([0.5] * 8)
