#!/bin/sh
# Proves the rows of docs/manual-map.md: check-manual-map.sh MAP SUITE_PROGRAM...
#
# Every row names at least one test, every test that is named is in the --list of one of the
# programs, and every test of the programs is named in some row. Says what is wrong, and exits with 1.
set -eu
LC_ALL=C
export LC_ALL

if [ $# -lt 2 ]; then
    echo "usage: check-manual-map.sh MAP SUITE_PROGRAM..." >&2
    exit 2
fi
map=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# "suite: 3 tests" begins a suite, each line of the tree below it ends with a test's name.
for program in "$@"; do
    "$program" --list
done | awk '
    /^[a-z_0-9]+: [0-9]+ tests?$/ { suite = $1; sub(/:$/, "", suite); next }
    match($0, /[a-z_0-9]+$/) { print suite "/" substr($0, RSTART) }
' | sort -u >"$work/there"

# The rows of the tables, without their heads.
grep '^|' "$map" | grep -v -e '^| *---' -e '^| the manual says' -e '^| decision' >"$work/rows"

fault=0
grep -v '`[a-z_0-9]*/[a-z_0-9]*`' "$work/rows" >"$work/bare" || true
if [ -s "$work/bare" ]; then
    echo "rows that name no test:"
    cat "$work/bare"
    fault=1
fi

grep -o '`[a-z_0-9]*/[a-z_0-9]*`' "$work/rows" | tr -d '`' | grep -v '^tests/' | sort -u \
    >"$work/named"
comm -23 "$work/named" "$work/there" >"$work/missing"
if [ -s "$work/missing" ]; then
    echo "tests that the map names and no suite has:"
    cat "$work/missing"
    fault=1
fi
comm -13 "$work/named" "$work/there" >"$work/unnamed"
if [ -s "$work/unnamed" ]; then
    echo "tests that no row of the map names:"
    cat "$work/unnamed"
    fault=1
fi

rows=$(wc -l <"$work/rows")
tests=$(wc -l <"$work/named")
if [ "$rows" -lt 60 ] || [ "$tests" -lt 100 ]; then
    echo "only $rows rows and $tests tests: this is not the whole manual"
    fault=1
fi
[ "$fault" -eq 0 ] && echo "$rows rows, $tests tests, all there"
exit "$fault"
