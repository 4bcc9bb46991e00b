#!/usr/bin/env bash
# `portls connect` against `openssl s_server`: s_server.sh TOOL CERTS tls12|tls13
source "$(dirname -- "${BASH_SOURCE[0]}")/../tool/support.sh"
protocol=$3
case $protocol in
tls12) version=TLSv1.2 flag=-tls1_2 other=tls13 ;;
tls13) version=TLSv1.3 flag=-tls1_3 other=tls12 ;;
esac

# s_server NAME LEAF ARGUMENT...: sends every line back reversed. Sets $pid and $port.
s_server() {
    local name=$1 leaf=$2
    shift 2
    start "$name" openssl s_server "$flag" -accept 127.0.0.1:0 -cert "$certs/$leaf.pem" \
        -key "$certs/$leaf.key" -cert_chain "$certs/$leaf.chain.pem" -rev "$@"
    if ! port=$(appears "$work/$name.out" '^ACCEPT .*:([0-9]+)$'); then
        fail 'openssl s_server did not say where it listens'
        cat -- "$work/$name.err"
        finish
    fi
}

connect() {
    run "$tool" connect --protocol "$protocol" "localhost:$port" "$@"
}

printf 'madam\nlines of text\n' >"$work/client"
printf 'madam\ntxet fo senil\n' >"$work/reversed"

s_server plain server-p256 -naccept 6
connect --roots "$certs/root.pem" --verbose <"$work/client"
same 'with its root: exit code' "$code" 0
same_file 'with its root: the answer' "$work/out" "$work/reversed"
matches 'with its root: the summary' "$err" \
    "portls connect: $version, [A-Z0-9_-]+, peer CN=localhost,O=portls test, verified"

SSL_CERT_FILE=$certs/root.pem connect <"$work/client"
same "as one of the system's roots: exit code" "$code" 0
same_file "as one of the system's roots: the answer" "$work/out" "$work/reversed"

connect --roots "$certs/second-root.pem" <"$work/client"
same 'with another root: exit code' "$code" 3
matches 'with another root: message' "$err" 'portls connect: .*does not lead to a trusted root'
same 'with another root: nothing came through' "$out" ''

SSL_CERT_FILE=$certs/second-root.pem connect <"$work/client"
same "not of the system's roots: exit code" "$code" 3

connect --no-verify <"$work/client"
same 'without verification: exit code' "$code" 0
same_file 'without verification: the answer' "$work/out" "$work/reversed"
same 'without verification: the warning' "$err" \
    'portls connect: warning: --no-verify: anybody may be the server'

protocol=$other connect --roots "$certs/root.pem" <"$work/client"
same 'the other version: exit code' "$code" 4
ended "$pid"

# A server with a good chain and another name.
s_server name other-name -naccept 1
connect --roots "$certs/root.pem" <"$work/client"
same 'another name: exit code' "$code" 3
matches 'another name: message' "$err" 'portls connect: .*not for the host'
ended "$pid"

# Client certificates.
s_server mutual server-rsa2048 -naccept 2 -Verify 3 -verify_return_error -CAfile "$certs/root.pem"
connect --roots "$certs/root.pem" --cert "$certs/client-p256.chain.pem" \
    --key "$certs/client-p256.key" <"$work/client"
same 'with a client certificate: exit code' "$code" 0
same_file 'with a client certificate: the answer' "$work/out" "$work/reversed"
connect --roots "$certs/root.pem" <"$work/client"
same 'without a client certificate: exit code' "$code" 4
same 'without a client certificate: nothing came through' "$out" ''
ended "$pid"

finish
