"""mssql-python: Microsoft's own ODBC driver 18, inside the wheel. For testing only."""

import time

import mssql_python

from common import CA_FILE, HOST, PASSWORD, PORT, PROFILE, QUERIES, USER, check, compare_types, finish, read_all

mssql_python.pooling(enabled=False)


def connect(encrypt="yes", password=PASSWORD, autocommit=True):
    # The driver compares DNS names only, never addresses, so the name to look for is given.
    options = f"Encrypt={encrypt};TrustServerCertificate=no;HostnameInCertificate=localhost;"
    place = f"Server={HOST},{PORT};Uid={USER};Pwd={{{password}}};"
    return mssql_python.connect(place + options, autocommit=autocommit)


def one(cursor):
    cursor.execute(QUERIES["one"])
    assert [tuple(row) for row in cursor.fetchall()] == [(1,)]


def connects(encrypt, **options):
    with connect(encrypt, **options) as connection, connection.cursor() as cursor:
        one(cursor)


def wrong_name():
    try:
        place = f"Server={HOST},{PORT};Uid={USER};Pwd={{{PASSWORD}}};"
        mssql_python.connect(place + "Encrypt=yes;HostnameInCertificate=elsewhere;")
    except mssql_python.Error as refused:
        assert "certificate verify failed" in str(refused), refused
        return
    raise AssertionError("a certificate for another name was accepted")


def wrong_password():
    try:
        connect(password="wrong")
    except mssql_python.Error as refused:
        assert "Login failed" in str(refused), refused
        return
    raise AssertionError("a wrong password was accepted")


def types(cursor):
    cursor.execute(QUERIES["types"])
    names = [column[0] for column in cursor.description]
    rows = [tuple(row) for row in cursor.fetchall()]
    return compare_types(names, rows) if PROFILE == "echo" else read_all(rows, names)


def results(cursor):
    cursor.execute(QUERIES["results"])
    first = [tuple(row) for row in cursor.fetchall()]
    assert cursor.nextset()
    assert (first, [tuple(row) for row in cursor.fetchall()]) == ([(1,)], [(2,)])
    assert not cursor.nextset()


def error(cursor):
    try:
        cursor.execute(QUERIES["error"])
        cursor.fetchall()
    except mssql_python.Error as problem:
        assert "Invalid object name" in str(problem), problem
        one(cursor)
        return
    raise AssertionError("no error 208")


def many(cursor):
    cursor.execute(QUERIES["many"])
    assert len(cursor.fetchall()) == 5000


def params(cursor):
    # Prepared, so sp_prepexec, and the second time sp_execute.
    for number in (7, 8):
        cursor.execute(QUERIES["params"] + " ?, ?, ?", (number, "naïve", None), use_prepare=True)
        assert [row[1] for row in cursor.fetchall()] == [str(number), "naïve", None]


def transaction():
    with connect(autocommit=False) as connection, connection.cursor() as cursor:
        one(cursor)
        connection.commit()
        one(cursor)
        connection.rollback()


def cancel_rows(connection):
    cursor = connection.cursor()
    cursor.execute(QUERIES["endless"])
    assert len(cursor.fetchmany(500)) == 500
    cursor.close()
    one(connection.cursor())


def cancel_wait():
    with connect() as connection:
        connection.timeout = 1
        started = time.monotonic()
        try:
            connection.cursor().execute(QUERIES["wait"])
        except mssql_python.Error as problem:
            assert time.monotonic() - started < 20
            assert "timeout" in str(problem).lower(), problem
        else:
            raise AssertionError("the wait was not cancelled")
        one(connection.cursor())


check("tls off", connects, "no")
check("tls on", connects, "yes")
check("strict", connects, "strict")
check("wrong name", wrong_name)
check("login", wrong_password)
connection = connect()
cursor = connection.cursor()
check("types", types, cursor)
check("results", results, cursor)
check("error", error, cursor)
check("many rows", many, cursor)
check("params", params, cursor)
check("transaction", transaction)
check("cancel rows", cancel_rows, connection)
check("cancel wait", cancel_wait)
finish()
