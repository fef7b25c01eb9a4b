#!/usr/bin/env bash
# Foreign clients against the simulator's wire: a table of client x check; fails if any check fails.
#
#   tests/clients/run.sh                                          starts the echo server of tests/clients/server.rs
#   tests/clients/run.sh DBTOP                                    starts a simulated instance: the program's `sim`
#   tests/clients/run.sh HOST PORT USER PASSWORD CA_FILE PROFILE  uses a running simulator (queries.json has PROFILE)
#
# Clients are installed, pinned, into ${XDG_CACHE_HOME:-~/.cache}/dbtop-clients. A client that cannot be installed is
# skipped and named. DBTOP_CLIENT_TRACE=1 shows what happened inside the Python clients.
# Needs: python3 with venv; node 18 or newer for tedious; freetds-bin for tsql; libltdl7 and libgssapi-krb5-2 for
# mssql-python. As root on Debian or Ubuntu, missing packages are installed.
set -u
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/dbtop-clients
work=$(mktemp -d)
mkdir -p "$cache"

cleanup() {
  # The server leaves when its stdin closes.
  exec 7>&- 2>/dev/null
  [ -n "${sim-}" ] && kill "$sim" 2>/dev/null
  wait 2>/dev/null
  rm -rf "$work"
}
trap cleanup EXIT

debian() { # debian PACKAGE...: installs missing packages when that is possible
  local missing=()
  for package in "$@"; do dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package"); done
  [ ${#missing[@]} = 0 ] && return 0
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  apt-get install -y -qq "${missing[@]}" >/dev/null 2>&1
}

pip() { # pip REQUIREMENT...: true if installed now
  [ -x "$cache/venv/bin/python" ] || python3 -m venv "$cache/venv" 2>/dev/null || return 1
  "$cache/venv/bin/python" -m pip install -q --disable-pip-version-check "$@" >/dev/null 2>&1
}

npm_has() { # npm_has NAME VERSION: true if installed now
  [ "$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)" -ge 18 ] || return 1
  grep -q "\"version\": \"$2\"" "$cache/node_modules/$1/package.json" 2>/dev/null && return 0
  npm install --silent --no-fund --no-audit --prefix "$cache" "$1@$2" >/dev/null 2>&1
}

if [ $# -ge 6 ]; then
  place=("$@")
elif [ $# = 1 ]; then
  "$1" sim --instances 1 --port 0 --inventory-out "$work/fleet.toml" > "$work/server.log" 2>&1 &
  sim=$!
  for _ in $(seq 100); do [ -e "$work/fleet.toml" ] && break; sleep 0.1; done
  option() { sed -n "s/^$1 = \"*\([^\"]*\)\"*$/\1/p" "$work/fleet.toml" | head -1; }
  [ -n "$(option host)" ] || { echo "$1 sim did not start:"; cat "$work/server.log"; exit 1; }
  place=("$(option host)" "$(option port)" "$(option user)" "$(option password)" "$(option ca_file)" fleet)
else
  (cd "$here/../.." && cargo build -q --example sim_wire) || exit 1
  target=$(cd "$here/../.." && cargo metadata --format-version 1 --no-deps |
    python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')
  mkfifo "$work/stdin"
  "$target/debug/examples/sim_wire" "$work/ca.pem" < "$work/stdin" > "$work/server.log" 2>&1 &
  exec 7> "$work/stdin"
  for _ in $(seq 100); do grep -q '^ready' "$work/server.log" && break; sleep 0.1; done
  port=$(sed -n 's/^optional //p' "$work/server.log")
  [ -n "$port" ] || { echo "the server did not start:"; cat "$work/server.log"; exit 1; }
  place=(127.0.0.1 "$port" sa 'Pä$$w0rd' "$work/ca.pem" echo)
fi

: > "$work/all"
failed=0
client() { # client NAME COMMAND...: runs one client and keeps its lines
  local name=$1; shift
  timeout 180 "$@" "${place[@]}" > "$work/lines" 2> "$work/errors"
  local code=$?
  [ -n "${DBTOP_CLIENT_TRACE-}" ] && cat "$work/errors"
  if [ $code != 0 ]; then failed=1; fi
  if [ $code != 0 ] && ! grep -q "FAIL" "$work/lines"; then
    printf 'whole client\tFAIL\texit code %s: %s\n' "$code" "$(tail -1 "$work/errors")" >> "$work/lines"
  fi
  sed "s/^/$name\t/" "$work/lines" >> "$work/all"
}
skip() { printf '%s\twhole client\tskip\t%s\n' "$1" "$2" >> "$work/all"; }

debian freetds-bin
if command -v tsql >/dev/null; then client tsql "$here/client_tsql.sh"
else skip tsql "freetds-bin is not installed"; fi

if pip python-tds==1.17.1 pyOpenSSL==24.3.0 certifi==2025.1.31; then
  client python-tds "$cache/venv/bin/python" "$here/client_pytds.py"
else skip python-tds "pip could not install it"; fi

if pip pymssql==2.4.6; then client pymssql "$cache/venv/bin/python" "$here/client_pymssql.py"
else skip pymssql "pip could not install it"; fi

debian libltdl7 libgssapi-krb5-2
if pip mssql-python==1.16.0; then
  # Its OpenSSL takes the CA from the environment only.
  client mssql-python env SSL_CERT_FILE="${place[4]}" "$cache/venv/bin/python" "$here/client_mssql_python.py"
else skip mssql-python "pip could not install it"; fi

if npm_has tedious 19.2.1; then
  client tedious env NODE_PATH="$cache/node_modules" node "$here/client_tedious.js"
else skip tedious "needs node 18 or newer and npm"; fi

awk -F'\t' '
  !($1 in seen) { seen[$1] = 1; clients[++c] = $1 }
  !($2 in known) { known[$2] = 1; checks[++k] = $2 }
  { cell[$1, $2] = $3; if ($3 != "ok") notes[++n] = $1 ", " $2 ": " $3 ", " $4 }
  END {
    printf "%-13s", ""
    for (i = 1; i <= c; i++) printf " %-13s", clients[i]
    print ""
    for (j = 1; j <= k; j++) {
      printf "%-13s", checks[j]
      for (i = 1; i <= c; i++) {
        verdict = cell[clients[i], checks[j]]
        printf " %-13s", verdict == "" ? "." : verdict
      }
      print ""
    }
    for (i = 1; i <= n; i++) print notes[i]
  }' "$work/all"
exit $failed
