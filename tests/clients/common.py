"""What the Python client scripts share: arguments, the expected values, and the line printed for each check.

Arguments: HOST PORT USER PASSWORD CA_FILE [PROFILE]; PROFILE names the queries in queries.json that the server knows.
Each check prints `check<TAB>ok|FAIL|skip<TAB>detail`.
"""

import datetime
import decimal
import json
import os
import pathlib
import sys
import traceback
import uuid

HOST, PORT, USER, PASSWORD, CA_FILE = sys.argv[1:6]
PORT = int(PORT)
PROFILE = sys.argv[6] if len(sys.argv) > 6 else "echo"


class Missing(Exception):
    """The server of this profile has nothing for the check."""


class Queries(dict):
    def __missing__(self, key):
        raise Missing(key)


QUERIES = Queries(json.loads((pathlib.Path(__file__).parent / "queries.json").read_text())[PROFILE])

failed = False


def report(name, verdict, detail=""):
    print(f"{name}\t{verdict}\t{detail}", flush=True)


def check(name, body, *args):
    """Runs one check; an exception is its failure."""
    global failed
    try:
        report(name, "ok", body(*args) or "")
    except Missing:
        report(name, "skip", f"no query for it in the profile {PROFILE}")
    except Exception as problem:  # every failure of a foreign client is a finding
        failed = True
        if "DBTOP_CLIENT_TRACE" in os.environ:
            traceback.print_exc(file=sys.stderr)
        report(name, "FAIL", f"{type(problem).__name__}: {problem}".replace("\n", " ")[:200])


def finish():
    sys.exit(1 if failed else 0)


MOMENT = datetime.datetime(2024, 2, 29, 23, 59, 58, 123456)
INDIA = datetime.timezone(datetime.timedelta(minutes=330))

# The row that `select types` of the echo backend begins with. A set holds the forms that clients may choose.
TYPES = {
    "c_bit": {True},
    "c_tinyint": {200},
    "c_smallint": {-12345},
    "c_int": {-1234567890},
    "c_bigint": {-1234567890123456789},
    "c_real": {1.5},
    "c_float": {-2.25e100},
    "c_decimal": {decimal.Decimal("-12345.67")},
    "c_decimal38": {decimal.Decimal("1234567890123456789.0123456789")},
    "c_money": {decimal.Decimal("-12345678.9012")},
    "c_smallmoney": {decimal.Decimal("1.2345")},
    "c_char": {"Grüße €   "},
    "c_varchar": {"Grüße €"},
    "c_varcharmax": {"Grüße €"},
    "c_nchar": {"Grüße €   "},
    "c_nvarchar": {"日本語 😀"},
    "c_nvarcharmax": {"日本語 😀"},
    "c_binary": {b"\x01\x02\x00\x00"},
    "c_varbinary": {b"\x00\xff\x01"},
    "c_varbinarymax": {b"\x00\xff\x01"},
    "c_date": {MOMENT.date()},
    "c_time": {MOMENT.time()},
    "c_time0": {MOMENT.time().replace(microsecond=0)},
    "c_smalldatetime": {datetime.datetime(2024, 3, 1, 0, 0)},
    "c_datetime": {MOMENT.replace(microsecond=ms) for ms in (123000, 123333)},
    "c_datetime2": {MOMENT},
    "c_datetime2_3": {MOMENT.replace(microsecond=123000)},
    "c_datetimeoffset": {MOMENT.replace(tzinfo=INDIA)},
    "c_guid": {uuid.UUID("01234567-89ab-cdef-fedc-ba9876543210"), "01234567-89AB-CDEF-FEDC-BA9876543210"},
    "c_xml": {"<a b=\"1\">é</a>"},
    "c_variant_int": {42, "42"},
    "c_variant_text": {"vår"},
}


def compare_types(names, rows):
    """Checks the three rows of `select types`: values, NULLs, and every second one NULL."""
    assert len(rows) == 3, f"{len(rows)} rows"
    assert list(names) == list(TYPES), names
    for name, value in zip(names, rows[0]):
        value = value.lstrip("\ufeff") if isinstance(value, str) else value
        value = bytes(value) if isinstance(value, bytearray) else value
        assert value in TYPES[name], f"{name}: {value!r}"
    assert all(value is None for value in rows[1]), rows[1]
    assert [value is None for value in rows[2]] == [index % 2 == 1 for index in range(len(names))], rows[2]
    return f"{len(names)} types"


def read_all(rows, names):
    """For servers without `select types`: there are rows, and every row has every column."""
    assert rows and all(len(row) == len(names) for row in rows)
    return f"{len(rows)} rows of {len(names)} columns"
