#!/bin/sh
# Runs the tests of a suite one at a time: each.sh [--left-out FILE] PROGRAM…, which may begin with an
# emulator. That is what a board without processes, and Windows without fork, has in their place: it
# begins anew for every test. A line of FILE is a test that the system cannot pass, and why.
set -eu
left_out=/dev/null
if [ "$1" = --left-out ]; then
    left_out=$2
    shift 2
fi
passed=0
failed=0
tests=$("$@" --list | tr -d '\r' | awk '/^[a-z_0-9]+: [0-9]+ tests/ { sub(/:.*/, ""); suite = $0; next }
    /^    / { print suite "/" $1 }')
for test in $tests; do
    if grep "^$test " "$left_out"; then
        echo "left out, for that reason"
        continue
    fi
    code=0
    "$@" --filter "$test" || code=$?
    if [ "$code" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $test (exit code $code)" # of an emulator that ended without a word
    fi
done
echo "all of them, one at a time: $passed passed, $failed failed"
[ "$passed" -gt 0 ] && [ "$failed" -eq 0 ]
