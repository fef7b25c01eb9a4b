"""python-tds, a driver in pure Python with TLS by pyOpenSSL."""

import time

import pytds

from common import CA_FILE, HOST, PASSWORD, PORT, PROFILE, QUERIES, USER, check, compare_types, finish, read_all, report


def connect(**options):
    # The CA is checked; the name is not, because this client compares DNS names only, never addresses.
    options = {"password": PASSWORD, "autocommit": True, "validate_host": False, **options}
    return pytds.connect(HOST, port=PORT, user=USER, **options)


def one(cursor):
    cursor.execute(QUERIES["one"])
    assert cursor.fetchall() == [(1,)]


def connects(**options):
    with connect(**options) as connection, connection.cursor() as cursor:
        one(cursor)


def wrong_ca():
    import certifi

    try:
        connect(cafile=certifi.where())
    except Exception as refused:
        assert "certificate" in str(refused).lower(), refused
        return
    raise AssertionError("a certificate of an unknown CA was accepted")


def wrong_password():
    try:
        connect(password="wrong")
    except pytds.OperationalError as refused:
        assert "Login failed" in str(refused), refused
        return
    raise AssertionError("a wrong password was accepted")


def types(cursor):
    cursor.execute(QUERIES["types"])
    names = [column[0] for column in cursor.description]
    rows = cursor.fetchall()
    return compare_types(names, rows) if PROFILE == "echo" else read_all(rows, names)


def results(cursor):
    cursor.execute(QUERIES["results"])
    first = cursor.fetchall()
    assert cursor.nextset()
    assert (first, cursor.fetchall()) == ([(1,)], [(2,)])
    assert not cursor.nextset()


def error(cursor):
    try:
        cursor.execute(QUERIES["error"])
        cursor.fetchall()
    except pytds.Error as problem:
        assert "Invalid object name" in str(problem), problem
        one(cursor)
        return
    raise AssertionError("no error 208")


def many(cursor):
    cursor.execute(QUERIES["many"])
    assert len(cursor.fetchall()) == 5000


def params(cursor):
    cursor.execute(QUERIES["params"] + " %s, %s", (7, "naïve"))
    assert [row[1] for row in cursor.fetchall()] == ["7", "naïve"]


def cancel_rows(cursor):
    cursor.execute(QUERIES["endless"])
    assert len(cursor.fetchmany(500)) == 500
    cursor.cancel()
    one(cursor)


def cancel_wait():
    with connect(cafile=CA_FILE, timeout=1) as connection, connection.cursor() as cursor:
        started = time.monotonic()
        try:
            cursor.execute(QUERIES["wait"])
        except Exception:
            assert time.monotonic() - started < 20
        else:
            raise AssertionError("the wait was not cancelled")
        with connection.cursor() as again:
            one(again)


check("tls off", lambda: connects())
check("tls login", lambda: connects(cafile=CA_FILE, enc_login_only=True))
check("tls on", lambda: connects(cafile=CA_FILE))
report("strict", "skip", "the client has no TDS 8.0")
check("wrong ca", wrong_ca)
check("login", wrong_password)
connection = connect(cafile=CA_FILE)
cursor = connection.cursor()
check("types", types, cursor)
check("results", results, cursor)
check("error", error, cursor)
check("many rows", many, cursor)
check("params", params, cursor)
check("cancel rows", cancel_rows, cursor)
check("cancel wait", cancel_wait)
finish()
