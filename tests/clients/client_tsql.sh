#!/usr/bin/env bash
# FreeTDS's tsql. Arguments and output are those of common.py.
set -u
host=$1 port=$2 user=$3 password=$4 ca=$5 profile=${6:-echo}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
failed=0

# tsql takes encryption and CA from its configuration file only.
section() {
  printf '[%s]\n  host = %s\n  port = %s\n  tds version = %s\n  encryption = %s\n  ca file = %s\n' \
    "$1" "$host" "$port" "$3" "$2" "$4"
  printf '  check certificate hostname = yes\n'
}
{ section off off 7.4 "$ca"; section login request 7.4 "$ca"; section on require 7.4 "$ca"
  section strict strict 8.0 "$ca"; section wrong-ca require 7.4 system; } > "$work/freetds.conf"
export FREETDSCONF=$work/freetds.conf

query() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]].get(sys.argv[3], ""))' \
  "$here/queries.json" "$profile" "$1"; }
# run SECTION TEXT [PASSWORD]: the output, rows and messages together
run() { printf '%s\ngo\n' "$2" | timeout 20 tsql -S "$1" -U "$user" -P "${3-$password}" -o fhq 2>&1; }
ok() { printf '%s\tok\t%s\n' "$1" "${2-}"; }
bad() { failed=1; printf '%s\tFAIL\t%s\n' "$1" "$(tr '\n\t' '  ' <<< "$2" | cut -c1-200)"; }
# expect NAME OUTPUT PATTERN: the pattern must match a whole line
expect() { if grep -qE "^$3$" <<< "$2"; then ok "$1" "${4-}"; else bad "$1" "$2"; fi; }

one=$(query one)
expect "tls off" "$(run off "$one")" 1
expect "tls login" "$(run login "$one")" 1
expect "tls on" "$(run on "$one")" 1
strict=$(run strict "$one")
if grep -q "Local configuration error" <<< "$strict"; then
  printf 'strict\tskip\tthis FreeTDS has no TDS 8.0\n'
else
  expect strict "$strict" 1
fi
expect "wrong ca" "$(run wrong-ca "$one")" "There was a problem connecting to the server"
expect login "$(run on "$one" wrong)" ".*Login failed for user.*"
types=$(run on "$(query types)")
if [ "$profile" = echo ]; then
  expected=$(sed 's/\xef\xbb\xbf//g' <<< "$types" | head -1)
  wanted=$'1\t200\t-12345\t-1234567890\t-1234567890123456789\t1.5\t-2.2500000000000002e+100\t-12345.67'
  wanted+=$'\t1234567890123456789.0123456789\t-12345678.9012\t1.2345\tGrüße €   \tGrüße €\tGrüße €'
  wanted+=$'\tGrüße €   \t日本語 😀\t日本語 😀\t01020000\t00ff01\t00ff01'
  if [[ $expected == "$wanted"* && $expected == *$'01234567-89AB-CDEF-FEDC-BA9876543210\t<a b="1">é</a>\t42\tvår' ]]
  then ok types "32 types"; else bad types "$types"; fi
else
  if grep -q Msg <<< "$types"; then bad types "$types"; else ok types "$(wc -l <<< "$types") rows"; fi
fi
results=$(run on "$(query results)")
[ "$(tr -d '\n' <<< "$results")" = 12 ] && ok results || bad results "$results"
expect error "$(run on "$(query error)")" "Msg 208 .*"
if [ -n "$(query many)" ]; then
  many=$(run on "$(query many)")
  [ "$(wc -l <<< "$many")" = 5000 ] && ok "many rows" || bad "many rows" "$many"
else
  printf 'many rows\tskip\tno query for it in the profile %s\n' "$profile"
fi
printf 'cancel\tskip\ttsql cannot cancel; pymssql shows the same library doing it\n'
exit $failed
