#!/usr/bin/env bash
# The lines of src that the tests run, by module: unit tests, the four test binaries, and the program as they start it.
#
#   tests/coverage.sh            all tests; builds everything once more, with counters
#   tests/coverage.sh --lib      only these: arguments are those of `cargo test`
#
# Needs cargo-llvm-cov (cargo install --locked cargo-llvm-cov) and rustup's component llvm-tools. Unit tests are no lines of
# the program: what stands in `mod tests` or in a file of tests is not counted. A process that is killed counts nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v cargo-llvm-cov >/dev/null || { echo "$0: cargo-llvm-cov is missing: cargo install --locked cargo-llvm-cov" >&2; exit 2; }
rustup component add llvm-tools >/dev/null 2>&1 || true
found=$(mktemp)
trap 'rm -f "$found"' EXIT
# A test that fails is told, and its lines count all the same.
status=0
CARGO_PROFILE_DEV_DEBUG=none cargo llvm-cov test --no-report --no-fail-fast "$@" || status=$?
cargo llvm-cov report --lcov --output-path "$found"
awk -F: '
  # The first line of the unit tests of a file.
  function tests_of(file,   line, text, before) {
    while ((getline text < file) > 0) {
      line++
      if (text ~ /^mod tests/ && before ~ /cfg\(test\)/) { close(file); return line }
      before = text
    }
    close(file)
    return 1e9
  }
  $1 == "SF" {
    file = $2
    module = ""
    if (match(file, /\/src\//) && file !~ /(_tests|\/tests)\.rs$/) {
      module = substr(file, RSTART + 5)
      sub(/[\/.].*/, "", module)
      end = tests_of(file)
    }
  }
  $1 == "DA" && module != "" {
    split($2, part, ",")
    if (part[1] + 0 < end) { lines[module]++; all++; if (part[2] > 0) { run[module]++; ran++ } }
  }
  END {
    printf "%-10s %7s %7s %7s\n", "module", "lines", "run", ""; fflush()
    for (module in lines) printf "%-10s %7d %7d %6.1f %%\n", module, lines[module], run[module], 100 * run[module] / lines[module] | "sort"
    close("sort")
    if (all) printf "%-10s %7d %7d %6.1f %%\n", "all", all, ran, 100 * ran / all
  }' "$found"
exit "$status"
