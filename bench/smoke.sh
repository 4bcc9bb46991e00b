#!/bin/bash
# Runs every work in every way with little to do, and looks at every byte that arrives.
#   smoke.sh PROGRAM
set -u
program=$1
failed=0
runs=0

run() { # run WAY EXPECTED-BYTES-OF-THE-SERVER OPTION…
    local way=$1 bytes=$2 output
    shift 2
    runs=$((runs + 1))
    if ! output=$(timeout 60 "$program" --way "$way" --check "$@"); then
        printf 'failed: %s --way %s --check %s\n' "$program" "$way" "$*"
        failed=$((failed + 1))
    elif [[ $output != *"\"server\":{"*"\"bytes\":$bytes,"*"\"client\":{"* ]]; then
        printf 'not %s bytes: --way %s %s: %s\n' "$bytes" "$way" "$*" "$output"
        failed=$((failed + 1))
    fi
}

for way in portls hand floor; do
    for size in 1 1024 16384 65536 1048576; do
        run $way $((size * 5)) --work bulk --size $size --count 5
    done
    run $way 1048576 --work duplex --size 16384 --count 64
    run $way 20 --work pingpong --size 1 --count 20
    run $way 20480 --work pingpong --size 1024 --count 20 --pin
    run $way 0 --work handshake --count 3 --settle --marks
    run $way 0 --work handshake --count 3 --certificate server-rsa2048
    run $way 300 --work connection --count 3
    run $way 300 --work connection --count 3 --wrap
    # The client looks at what it gets, to the last byte.
    run $way 3 --work answer --size 50000 --count 3
    run $way 102400 --work many --connections 7 --count 100
    run $way 0 --work idle --connections 66
    run $way 16384 --work idle --connections 66 --size 16384
done
for size in 1 1024 16384 65536; do
    run portls $((size * 100)) --work bulk --size $size --count 100 --gather
done
run portls 20 --work pingpong --size 1 --count 20 --busy-poll 60
for way in portls hand; do
    run $way 3 --work answer --size 100 --count 3 --hand-client
    run $way 0 --work accept --count 20 --threads 2
    run $way 0 --work pipe --count 10
done

echo "$runs runs, $failed failed"
[[ $failed -eq 0 && $runs -gt 0 ]]
