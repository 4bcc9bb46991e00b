#!/usr/bin/env bash
# Bytes through portls on both sides: both directions at once, ends, signals, broken pipes.
# transfer.sh TOOL CERTS
source "$(dirname -- "${BASH_SOURCE[0]}")/support.sh"
server=(--cert "$certs/server-p256.chain.pem" --key "$certs/server-p256.key")

head -c 3000001 /dev/urandom >"$work/up"
head -c 2000003 /dev/urandom >"$work/down"

for protocol in tls12 tls13; do
    # 3 MB one way and 2 MB the other, at once.
    cp "$work/down" "$work/both.in"
    listen both "${server[@]}" --protocol $protocol
    run "$tool" connect --roots "$certs/root.pem" --strict "localhost:$port" <"$work/up"
    same "$protocol, both ways: exit code of connect" "$code" 0
    same "$protocol, both ways: standard error" "$err" ''
    same_file "$protocol, both ways: to the client" "$work/out" "$work/down"
    ended "$pid"
    same "$protocol, both ways: exit code of listen" "$code" 0
    same_file "$protocol, both ways: to the server" "$work/both.out" "$work/up"

    # An echo of it, by many at once.
    listen echo "${server[@]}" --protocol $protocol --echo
    clients=()
    for i in 1 2 3 4; do
        cp "$work/up" "$work/client$i.in"
        server_pid=$pid
        start "client$i" "$tool" connect --roots "$certs/root.pem" "localhost:$port"
        clients+=("$pid")
        pid=$server_pid
    done
    for i in 1 2 3 4; do
        ended "${clients[i - 1]}"
        same "$protocol, client $i of 4: exit code" "$code" 0
        same_file "$protocol, client $i of 4: the echo" "$work/client$i.out" "$work/up"
    done
    kill -INT "$pid"
    ended "$pid"
    same "$protocol, echo: exit code after SIGINT" "$code" 0
    same "$protocol, echo: what it said" "$(tail -n +2 "$work/echo.err")" ''
done

# Nothing at all in either direction; standard input closed; standard output closed early.
listen empty "${server[@]}"
run "$tool" connect --roots "$certs/root.pem" "localhost:$port" </dev/null
same 'nothing to say: exit code' "$code" 0
ended "$pid"
same 'nothing to hear: exit code' "$code" 0

listen closed "${server[@]}"
run "$tool" connect --roots "$certs/root.pem" "localhost:$port" <&-
same 'standard input closed: exit code' "$code" 0
ended "$pid"

listen broken "${server[@]}" --echo
yes 'a line that comes back' |
    timeout "$LIMIT" "$tool" connect --roots "$certs/root.pem" "localhost:$port" 2>"$work/err" |
    head -n 3 >"$work/out"
codes=("${PIPESTATUS[@]}")
same 'standard output broken: exit code' "${codes[1]}" 7
same 'standard output broken: message' "$(<"$work/err")" \
    'portls connect: standard output: writing to the descriptor failed: the other end is closed'
same 'standard output broken: what came until then' "$(sort -u "$work/out")" \
    'a line that comes back'
kill "$pid"

# A client that does not read what comes back does not hold up the server's end.
listen stuck "${server[@]}" --echo
mkfifo "$work/never-read"
exec 4<>"$work/never-read"
yes 'never read' 2>/dev/null |
    timeout "$LIMIT" "$tool" connect --roots "$certs/root.pem" "localhost:$port" >&4 2>/dev/null &
client=$!
sleep 1
SECONDS=0
kill "$pid"
ended "$pid"
same 'stopped while sending: exit code' "$code" 0
same 'stopped while sending: seconds until it ended, more than 10' "$((SECONDS > 10))" 0
kill "$client"
exec 4>&-

# --keep-open: the client hears all, though its standard input ended long ago.
cp "$work/down" "$work/keep.in"
listen keep "${server[@]}"
run "$tool" connect --keep-open --roots "$certs/root.pem" "localhost:$port" </dev/null
same '--keep-open: exit code' "$code" 0
same_file '--keep-open: what came' "$work/out" "$work/down"
ended "$pid"
same '--keep-open: exit code of the server' "$code" 0

finish
