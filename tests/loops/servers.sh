#!/usr/bin/env bash
# An echo server in one thread with many clients: what the examples of event loops have to do.
# servers.sh TOOL CERTS SERVER
LIMIT=500 # the server and some clients live through all of it; more than a busy machine needs
source "$(dirname -- "${BASH_SOURCE[0]}")/../tool/support.sh"
program=$3
pem=$certs/test.pem

head -c 2000001 /dev/urandom >"$work/big"
seq -f 'line %g' 2000 >"$work/lines"

# serve NAME: starts the server. Sets $server, the process behind `timeout`, $watcher and $port.
serve() {
    start "$1" "$program" 0 "$pem"
    watcher=$pid
    if ! port=$(listening_port "$watcher"); then
        fail "the server does not listen"
        cat -- "$work/$1.err"
        finish
    fi
    server=$(<"/proc/$watcher/task/$watcher/children")
    server=${server%% *}
}

# client NAME: starts `portls connect` with $work/NAME.in as its input. Sets $pid.
client() {
    start "$1" "$tool" connect --roots "$pem" --strict "localhost:$port"
}

# talker NAME: the same with an input that stays open, on the descriptor $talk.
talker() {
    rm -f -- "$work/$1.in"
    mkfifo "$work/$1.in"
    exec {talk}<>"$work/$1.in"
    client "$1"
}

# Ticks of the processor that the server has used.
used() {
    local fields
    read -r -a fields <"/proc/$server/stat"
    printf '%d\n' "$((fields[13] + fields[14]))"
}

serve server

# Those who only get in the way: one that says nothing after its handshake, one that does not even
# begin it, and one that sends and does not read.
talker silent
silent=$pid silent_talk=$talk
exec {mute}<>"/dev/tcp/localhost/$port"
head -c 16000003 /dev/urandom >"$work/slow.in" # more than all buffers on the way hold
mkfifo "$work/slow.fifo"
exec {slow_out}<>"$work/slow.fifo"
timeout "$LIMIT" "$tool" connect --roots "$pem" --strict "localhost:$port" <"$work/slow.in" \
    >&"$slow_out" 2>"$work/slow.err" {slow_out}>&- &
slow=$!
pids+=("$slow")

# Many at once, by portls connect; some with lines, some with a large piece.
clients=()
for i in 1 2 3 4; do
    what=big
    ((i % 2)) && what=lines
    cp -- "$work/$what" "$work/client$i.in"
    client "client$i"
    clients+=("$pid")
done

# By openssl s_client, which is told and answered line after line.
mkfifo "$work/s_client.in"
exec {talk}<>"$work/s_client.in"
start s_client openssl s_client -quiet -no_ign_eof -connect "localhost:$port" -CAfile "$pem" \
    -verify_return_error
s_client=$pid
for i in 1 2 3 4 5; do
    printf 'question %d\n' "$i" >&"$talk"
    same "s_client: answer $i" "$(appears "$work/s_client.out" "^(question $i)\$")" "question $i"
done

for i in 1 2 3 4; do
    ended "${clients[i - 1]}"
    same "client $i: exit code" "$code" 0
    same "client $i: standard error" "$(<"$work/client$i.err")" ''
    same_file "client $i: the echo" "$work/client$i.out" "$work/client$i.in"
done

# Something that is no TLS is told of, and nothing else happens.
exec {plain}<>"/dev/tcp/localhost/$port"
printf 'GET / HTTP/1.0\r\n\r\n' >&"$plain"
cat <&"$plain" >/dev/null
exec {plain}>&-
same 'what is said of a client that speaks no TLS' \
    "$(appears "$work/server.err" '^(a connection failed: the peer does not speak TLS): ')" \
    'a connection failed: the peer does not speak TLS'

# With nothing to do but to wait for the silent ones and the one that does not read, the server uses
# no processor, once the latter has filled all buffers. A second is a hundred ticks.
idle=0
for ((i = 0; i < 60 && idle == 0; i++)); do
    before=$(used)
    sleep 1
    idle=$(($(used) - before <= 20))
done
same 'a second in which the server waits and uses 20 ticks at most' "$idle" 1

# The one that did not read reads now, and gets all of it.
timeout "$LIMIT" head -c 16000003 <&"$slow_out" >"$work/slow.out"
ended "$slow"
same 'the slow one: exit code' "$code" 0
same 'the slow one: standard error' "$(<"$work/slow.err")" ''
exec {slow_out}>&-
same_file 'the slow one: the echo' "$work/slow.out" "$work/slow.in"

# Whoever was silent is still served; then it is told to stop: the port is free, and what is there
# goes on.
printf 'not that silent\n' >&"$silent_talk"
same 'the silent one' "$(appears "$work/silent.out" '^(not that silent)$')" 'not that silent'
exec {mute}>&-
kill -TERM "$server"
for ((i = 0; i < LIMIT * 20; i++)); do
    [[ -z $(ports_of "$server") ]] && break
    sleep 0.05
done
run "$tool" connect --roots "$pem" "localhost:$port" </dev/null
same 'a client that comes after the signal: exit code' "$code" 2
printf 'after the signal\n' >&"$silent_talk"
same 'a client that was there before the signal' \
    "$(appears "$work/silent.out" '^(after the signal)$')" 'after the signal'
printf 'question 6\n' >&"$talk"
same 's_client after the signal' "$(appears "$work/s_client.out" '^(question 6)$')" 'question 6'
exec {talk}>&-
kill "$s_client"
exec {silent_talk}>&-
kill "$silent"
ended "$watcher"
same 'the server: exit code' "$code" 0
# Of the one that does not begin its handshake it says that it left, or on a slow day that its time
# was up.
same 'the server: what it said of other connections' \
    "$(grep -v -e 'does not speak TLS' -e 'in the middle of the handshake' \
        -e 'did not finish its handshake in time' \
        -e 'the peer has reset' -e 'the other end is closed' "$work/server.err")" ''

# Nobody there: it ends at once, by the other signal too.
serve alone
kill -INT "$server"
ended "$watcher"
same 'nobody there: exit code' "$code" 0
same 'nobody there: standard error' "$(<"$work/alone.err")" ''

run "$program"
same 'without arguments: exit code' "$code" 1
matches 'without arguments: message' "$err" '^usage: '
run "$program" 0 "$certs/none.pem"
same 'without a certificate: exit code' "$code" 1
same 'without a certificate: message' "$err" \
    "$certs/none.pem: there is no such file or directory"

finish
