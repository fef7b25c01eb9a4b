// tedious: the TDS client of node. It reads exactly one message for each attention, so it hangs or goes astray if a
// cancel is not answered by two. Arguments and output are those of common.py.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { Connection, Request, TYPES } = require("tedious");

const [host, port, user, password, caFile, profile = "echo"] = process.argv.slice(2);
const known = JSON.parse(fs.readFileSync(path.join(__dirname, "queries.json"), "utf8"))[profile];
// Asking for a query that the profile lacks skips the check.
const queries = new Proxy(known, {
  get: (all, key) => all[key] ?? assert(false, missing),
});
const missing = `no query for it in the profile ${profile}`;
let failed = false;

async function check(name, body) {
  try {
    console.log(`${name}\tok\t${(await body()) ?? ""}`);
  } catch (problem) {
    if (String(problem).includes(missing)) {
      console.log(`${name}\tskip\t${missing}`);
      return;
    }
    failed = true;
    console.log(`${name}\tFAIL\t${String(problem).replaceAll("\n", " ").slice(0, 200)}`);
  }
}

function assert(truth, detail) {
  if (!truth) throw new Error(`expected otherwise: ${JSON.stringify(detail)}`);
}

function connect(encrypt, { ca = fs.readFileSync(caFile), secret = password } = {}) {
  const connection = new Connection({
    server: host,
    authentication: { type: "default", options: { userName: user, password: secret } },
    options: {
      port: Number(port),
      encrypt,
      trustServerCertificate: false,
      serverName: "localhost",
      connectTimeout: 10000,
      cryptoCredentialsDetails: { ca },
    },
  });
  return new Promise((resolve, reject) => {
    connection.connect((problem) => (problem ? reject(problem) : resolve(connection)));
  });
}

/** Runs a batch, or a prepared call with parameters; gives the result sets as arrays of rows of values. */
function run(connection, sql, params, onRow) {
  return new Promise((resolve, reject) => {
    const sets = [];
    const request = new Request(sql, (problem) => (problem ? reject(problem) : resolve(sets)));
    request.on("columnMetadata", () => sets.push([]));
    request.on("row", (columns) => {
      sets.at(-1).push(columns.map((column) => column.value));
      onRow?.(sets.at(-1).length);
    });
    for (const [name, type, value] of params ?? []) request.addParameter(name, type, value);
    if (params) connection.execSql(request);
    else connection.execSqlBatch(request);
  });
}

async function one(connection) {
  const sets = await run(connection, queries.one);
  assert(sets.length === 1 && sets[0][0][0] === 1, sets);
}

async function connects(encrypt) {
  const connection = await connect(encrypt);
  await one(connection);
  connection.close();
}

async function refused(pattern, encrypt, options) {
  const problem = await connect(encrypt, options).then(() => "let in", String);
  assert(pattern.test(problem), problem);
}

async function types(connection) {
  const [rows] = await run(connection, queries.types);
  if (profile !== "echo") return `${rows.length} rows`;
  const [full, empty, half] = rows;
  const shown = JSON.stringify(full.map((value) => (Buffer.isBuffer(value) ? value.toString("hex") : value)));
  const expected = JSON.stringify([
    true, 200, -12345, -1234567890, "-1234567890123456789", 1.5, -2.25e100, -12345.67, 1234567890123456800,
    -12345678.9012, 1.2345, "Grüße €   ", "Grüße €", "Grüße €", "Grüße €   ", "日本語 😀", "日本語 😀",
    "01020000", "00ff01", "00ff01", "2024-02-29T00:00:00.000Z", "1970-01-01T23:59:58.123Z",
    "1970-01-01T23:59:58.000Z", "2024-03-01T00:00:00.000Z", "2024-02-29T23:59:58.123Z",
    "2024-02-29T23:59:58.123Z", "2024-02-29T23:59:58.123Z", "2024-02-29T18:29:58.123Z",
    "01234567-89AB-CDEF-FEDC-BA9876543210", "\ufeff<a b=\"1\">é</a>", 42, "vår",
  ]);
  assert(shown === expected, [shown, expected]);
  assert(empty.every((value) => value === null), empty);
  assert(half.every((value, index) => (value === null) === (index % 2 === 1)), half);
  return `${full.length} types`;
}

async function error(connection) {
  const problem = await run(connection, queries.error).then(() => ({}), (caught) => caught);
  assert(problem.number === 208, problem);
  await one(connection);
}

async function params(connection) {
  const values = [["a", TYPES.Int, 7], ["b", TYPES.NVarChar, "naïve"], ["c", TYPES.NVarChar, null]];
  const [rows] = await run(connection, `${queries.params} @a, @b, @c`, values);
  assert(JSON.stringify(rows.map((row) => row[1])) === '["7","naïve",null]', rows);
}

async function prepared(connection) {
  const request = new Request(`${queries.params} @a`, () => {});
  const rows = [];
  request.addParameter("a", TYPES.BigInt);
  request.on("row", (columns) => rows.push(columns[1].value));
  await new Promise((resolve) => request.once("prepared", resolve) && connection.prepare(request));
  for (const value of ["5", "6"]) {
    await new Promise((resolve, reject) => {
      request.callback = (problem) => (problem ? reject(problem) : resolve());
      connection.execute(request, { a: value });
    });
  }
  await new Promise((resolve, reject) => {
    request.callback = (problem) => (problem ? reject(problem) : resolve());
    connection.unprepare(request);
  });
  assert(JSON.stringify(rows) === '["5","6"]', rows);
}

async function output(connection) {
  const returned = [];
  await new Promise((resolve, reject) => {
    const request = new Request(queries.params, (problem) => (problem ? reject(problem) : resolve()));
    request.addOutputParameter("number", TYPES.Int, 5);
    request.addOutputParameter("text", TYPES.NVarChar, "naïve");
    request.on("returnValue", (name, value) => returned.push([name, value]));
    connection.execSql(request);
  });
  assert(JSON.stringify(returned) === '[["number",5],["text","naïve"]]', returned);
}

function callback(start) {
  return new Promise((resolve, reject) => start((problem) => (problem ? reject(problem) : resolve())));
}

async function transaction(connection) {
  for (const end of ["commitTransaction", "rollbackTransaction"]) {
    await callback((done) => connection.beginTransaction(done));
    await one(connection);
    await callback((done) => connection[end](done));
  }
  await callback((done) => connection.reset(done));
  await one(connection);
}

async function cancelRows(connection) {
  let seen = 0;
  const problem = await run(connection, queries.endless, undefined, (count) => {
    seen = count;
    if (count === 500) connection.cancel();
  }).then(() => ({}), (caught) => caught);
  assert(problem.code === "ECANCEL" && seen >= 500, [problem, seen]);
  await one(connection);
}

async function cancelWait(connection) {
  for (let round = 0; round < 3; round += 1) {
    setTimeout(() => connection.cancel(), 100);
    const started = Date.now();
    const problem = await run(connection, queries.wait).then(() => ({}), (caught) => caught);
    assert(problem.code === "ECANCEL" && Date.now() - started < 10000, problem);
    await one(connection);
  }
}

async function main() {
  await check("tls off", () => connects(false));
  await check("tls on", () => connects(true));
  await check("strict", () => connects("strict"));
  await check("wrong ca", () => refused(/certificate/, true, { ca: [] }));
  await check("login", () => refused(/Login failed/, true, { secret: "wrong" }));
  const connection = await connect(true);
  await check("types", () => types(connection));
  await check("results", async () => {
    assert(JSON.stringify(await run(connection, queries.results)) === "[[[1]],[[2]]]");
  });
  await check("error", () => error(connection));
  await check("many rows", async () => assert((await run(connection, queries.many))[0].length === 5000));
  await check("params", () => params(connection));
  await check("prepared", () => prepared(connection));
  await check("output", () => output(connection));
  await check("transaction", () => transaction(connection));
  await check("cancel rows", () => cancelRows(connection));
  await check("cancel wait", () => cancelWait(connection));
  connection.close();
  process.exit(failed ? 1 : 0);
}

main();
