"""pymssql, which carries FreeTDS's db-lib and OpenSSL inside its wheel."""

import os
import pathlib
import tempfile
import time

from common import CA_FILE, HOST, PASSWORD, PORT, PROFILE, QUERIES, TYPES, USER, check, compare_types, finish, read_all

# FreeTDS takes the CA from its configuration file only, and reads that once.
conf = pathlib.Path(tempfile.mkdtemp(prefix="dbtop-pymssql-")) / "freetds.conf"
AT = f"host = {HOST}\n  port = {PORT}"
conf.write_text(f"""[global]
  ca file = {CA_FILE}
  check certificate hostname = yes
  tds version = 7.4
[strict]
  {AT}
  encryption = strict
  tds version = 8.0
[right-ca]
  {AT}
  encryption = require
[wrong-ca]
  {AT}
  encryption = require
  ca file = system
""")
os.environ["FREETDSCONF"] = str(conf)

import pymssql  # noqa: E402  after its configuration


def connect(encryption="require", password=PASSWORD, **options):
    place = {"server": HOST, "port": str(PORT), "encryption": encryption, "tds_version": "7.4"}
    return pymssql.connect(user=USER, password=password, autocommit=True, login_timeout=10, **{**place, **options})


def connects_to(section):
    """By the name of a section of freetds.conf, which says the rest."""
    with connect(None, server=section, tds_version=None) as connection, connection.cursor() as cursor:
        one(cursor)


def one(cursor):
    cursor.execute(QUERIES["one"])
    assert cursor.fetchall() == [(1,)]


def connects(encryption, **options):
    with connect(encryption, **options) as connection, connection.cursor() as cursor:
        one(cursor)


def wrong_ca():
    connects_to("right-ca")
    try:
        connects_to("wrong-ca")
    except pymssql.OperationalError:
        return
    raise AssertionError("a certificate of an unknown CA was accepted")


def wrong_password():
    try:
        connect(password="wrong")
    except pymssql.OperationalError as refused:
        assert refused.args[0][0] == 18456, refused
        return
    raise AssertionError("a wrong password was accepted")


def types(cursor):
    cursor.execute(QUERIES["types"])
    names = [column[0] for column in cursor.description]
    rows = cursor.fetchall()
    # The client hands out a sql_variant as its bytes.
    TYPES["c_variant_int"].add((42).to_bytes(4, "little"))
    TYPES["c_variant_text"].add("vår".encode())
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
    except pymssql.Error as problem:
        assert problem.args[0] == 208, problem
        one(cursor)
        return
    raise AssertionError("no error 208")


def many(cursor):
    cursor.execute(QUERIES["many"])
    assert len(cursor.fetchall()) == 5000


def cancel_rows(connection):
    cursor = connection.cursor()
    cursor.execute(QUERIES["endless"])
    assert len(cursor.fetchmany(500)) == 500
    connection._conn.cancel()
    one(connection.cursor())


def cancel_wait():
    # A query timeout makes db-lib send an attention; whether it then keeps the connection is its own affair.
    with connect(timeout=1) as connection, connection.cursor() as cursor:
        started = time.monotonic()
        try:
            cursor.execute(QUERIES["wait"])
        except pymssql.Error:
            assert time.monotonic() - started < 20
        else:
            raise AssertionError("the wait was not cancelled")


check("tls off", connects, "off")
check("tls login", connects, "request")
check("tls on", connects, "require")
check("strict", connects_to, "strict")
check("wrong ca", wrong_ca)
check("login", wrong_password)
connection = connect()
cursor = connection.cursor()
check("types", types, cursor)
check("results", results, cursor)
check("error", error, cursor)
check("many rows", many, cursor)
check("cancel rows", cancel_rows, connection)
check("cancel wait", cancel_wait)
finish()
