#!/usr/bin/env bash
# Writes what is asked of further views by the same text, a file each, for tools that read files: the T-SQL gate.
#
#   tests/expand_scripts.sh FOLDER
#
# A script says it in its head: `-- Over: the view of the file; NAME VIEW; NAME VIEW`. tests/engine/probe/registry.rs holds that
# dbtop asks exactly these.
set -euo pipefail
out=$1
cd "$(dirname "$0")/.."
mkdir -p "$out"
for file in tsql/probe/*.sql; do
  over=$(sed -n 's/^-- Over: //p' "$file")
  [ -n "$over" ] || continue
  stem=$(basename "$file" .sql)
  there=${over%%;*}
  while read -r name view; do
    sed -e "s/${there//./\\.} AS/$view AS/" -e "s/dbtop:$stem \\*/dbtop:$name */" -e "s/AS dbtop_$stem,/AS dbtop_$name,/" "$file" \
      >"$out/$name.sql"
  done < <(tr ';' '\n' <<<"${over#*;}")
done
