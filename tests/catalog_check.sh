#!/usr/bin/env bash
# Compares the simulator's schema (src/sim/schema) with a catalogue of system objects that was extracted from real
# engines, and our scripts' result columns with what that catalogue's tools say of them.
#
#   tests/catalog_check.sh CATALOG.json      or DBTOP_DMV_CATALOG=CATALOG.json tests/catalog_check.sh
#
# The catalogue is not part of this project; without it tests/engine/catalog.rs skips. The tool that describes result
# columns is looked for beside it (../tools/tsql_gate.sh), and that part is skipped if the tool is not there.
set -euo pipefail
catalog=${1:-${DBTOP_DMV_CATALOG:-}}
[ -n "$catalog" ] || { echo "usage: $0 CATALOG.json" >&2; exit 2; }
DBTOP_DMV_CATALOG=$(realpath "$catalog")
export DBTOP_DMV_CATALOG
cd "$(dirname "$0")/.."
gate=$(dirname "$DBTOP_DMV_CATALOG")/../tools/tsql_gate.sh
if [ -x "$gate" ]; then
  DBTOP_DESCRIBED=$(mktemp)
  more=$(mktemp -d)
  export DBTOP_DESCRIBED
  trap 'rm -rf "$DBTOP_DESCRIBED" "$more"' EXIT
  tests/expand_scripts.sh "$more"
  "$gate" --describe tsql/probe/*.sql "$more"/*.sql >"$DBTOP_DESCRIBED"
else
  echo "no tool that describes result columns at $gate: that part is skipped"
fi
cargo test --locked --test engine -- --nocapture catalog:: probe::registry:: described
