#!/usr/bin/env bash
# The examples do what the README says of them.
# examples.sh TOOL CERTS DIRECTORY: the examples are DIRECTORY/portls-client and so on.
source "$(dirname -- "${BASH_SOURCE[0]}")/../tool/support.sh"
programs=$3
pem=$certs/test.pem

# Client and server, as the README starts them, but for the port.
start server "$programs/portls-server" 0 "$pem"
server=$pid
if ! port=$(listening_port "$server"); then
    fail 'the server does not listen'
    cat -- "$work/server.err"
    finish
fi
for i in 1 2; do
    SSL_CERT_FILE=$pem run "$programs/portls-client" localhost "$port"
    same "client $i: exit code" "$code" 0
    same "client $i: the answer" "$out" hello
    same "client $i: standard error" "$err" ''
done

SSL_CERT_FILE=$certs/root.pem run "$programs/portls-client" localhost "$port"
same 'a client that does not trust the server: exit code' "$code" 1
matches 'a client that does not trust the server: message' "$err" 'certificate was refused'

# The server sends close_notify, as portls_listen_secure does.
run "$tool" connect --roots "$pem" --strict --verbose "localhost:$port" <<<'a line'
same 'portls connect --strict: exit code' "$code" 0
same 'portls connect --strict: the echo' "$out" 'a line'
matches 'portls connect --strict: what it says' "$err" 'portls connect: TLSv1.3, .*, verified'
kill "$server"

# The server of many: clients that stay connected and idle hold up nobody, and get their bytes back.
start many "$programs/portls-many" 0 "$pem"
many=$pid
if ! port=$(listening_port "$many"); then
    fail 'the server of many does not listen'
    cat -- "$work/many.err"
    finish
fi
idle=()
for i in 1 2 3 4 5; do
    mkfifo "$work/idle$i"
    "$tool" connect --roots "$pem" "localhost:$port" <"$work/idle$i" >"$work/idle$i.out" 2>&1 &
    idle+=("$!")
    pids+=("$!")
    exec {writer}>"$work/idle$i"
    writers+=("$writer")
done
head -c 1000000 /dev/zero | tr '\0' x >"$work/sent"
run "$tool" connect --roots "$pem" "localhost:$port" <"$work/sent"
same 'many: exit code' "$code" 0
same_file 'many: the echo' "$work/sent" "$work/out"
# It closes without close_notify, as ssl-accept does.
run "$tool" connect --roots "$pem" --verbose "localhost:$port" <<<'a line'
matches 'portls connect: the end' "$err" \
    "portls connect: the peer's stream ended without close_notify"
run "$tool" connect --roots "$pem" --strict "localhost:$port" <<<'a line'
same 'portls connect --strict: exit code' "$code" 4
same 'portls connect --strict: the echo' "$out" 'a line'
matches 'portls connect --strict: message' "$err" 'portls connect: .*without .*close_notify'
for i in 1 2 3 4 5; do
    echo "line $i" >&"${writers[i - 1]}"
    eval "exec ${writers[i - 1]}>&-"
done
for i in 1 2 3 4 5; do
    wait "${idle[i - 1]}"
    same "many: exit code of client $i" "$?" 0
    same "many: the echo of client $i" "$(head -n 1 "$work/idle$i.out")" "line $i"
done
kill "$many"

run "$programs/portls-client"
same 'client without arguments: exit code' "$code" 1
same 'client without arguments: message' "$err" 'usage: client HOST PORT'
run "$programs/portls-server" 0 "$certs/none.pem"
same 'server without a certificate: exit code' "$code" 1
same 'server without a certificate: message' "$err" \
    "$certs/none.pem: there is no such file or directory"

# TLS over pipes, and without I/O.
run "$programs/portls-wrap" "$pem"
same 'wrap: exit code' "$code" 0
matches 'wrap' "$out" $'^TLSv1\\.3, .*CN=test,O=portls test\nhello through a pipe$'
run "$programs/portls-sans-io" "$pem"
same 'sans_io: exit code' "$code" 0
matches 'sans_io' "$out" \
    $'^handshake: [0-9]+ bytes to the server, [0-9]+ bytes to the client\nclient: hello\n'\
$'server: hello to you$'

# The demo, and that it notices when something is wrong.
run "$programs/portls-demo" "$certs"
same 'demo: exit code' "$code" 0
matches 'demo: the last line' "$out" $'\nall as it should be$'
mkdir "$work/certs"
cp -- "$certs/root.pem" "$certs/server-p256.chain.pem" "$certs/server-p256.key" "$work/certs"
cp -- "$certs/root.pem" "$work/certs/second-root.pem"
run "$programs/portls-demo" "$work/certs"
same 'demo, where the second root is the first: exit code' "$code" 1
cp -- "$certs/second-root.pem" "$work/certs/root.pem"
run "$programs/portls-demo" "$work/certs"
same 'demo, where the root is another: exit code' "$code" 1

finish
