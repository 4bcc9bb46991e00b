#!/usr/bin/env bash
# `portls connect` against `gnutls-serv`: gnutls-serv.sh TOOL CERTS tls12|tls13
source "$(dirname -- "${BASH_SOURCE[0]}")/../tool/support.sh"
protocol=$3
case $protocol in
tls12) version=TLSv1.2 priority=NORMAL:-VERS-ALL:+VERS-TLS1.2 ;;
tls13) version=TLSv1.3 priority=NORMAL:-VERS-ALL:+VERS-TLS1.3 ;;
esac

# gnutls_serv NAME ARGUMENT...: sends everything back. Sets $pid and $port.
gnutls_serv() {
    local name=$1
    shift
    start "$name" gnutls-serv --echo -p 0 --priority "$priority" \
        --x509certfile "$certs/server-p256.chain.pem" --x509keyfile "$certs/server-p256.key" "$@"
    if ! port=$(listening_port "$pid"); then
        fail 'gnutls-serv does not listen'
        cat -- "$work/$name.err"
        finish
    fi
}

connect() {
    run "$tool" connect --protocol "$protocol" "localhost:$port" "$@"
}

printf 'from the client\n' >"$work/client"

gnutls_serv plain --disable-client-cert
connect --roots "$certs/root.pem" --verbose <"$work/client"
same 'with its root: exit code' "$code" 0
same_file 'with its root: the echo' "$work/out" "$work/client"
matches 'with its root: the summary' "$err" \
    "portls connect: $version, [A-Z0-9_-]+, peer CN=localhost,O=portls test, verified"

connect --roots "$certs/second-root.pem" <"$work/client"
same 'with another root: exit code' "$code" 3
same 'with another root: nothing came back' "$out" ''
matches 'with another root: message' "$err" 'portls connect: .*does not lead to a trusted root'
kill "$pid"

gnutls_serv mutual --require-client-cert --verify-client-cert --x509cafile "$certs/root.pem"
connect --roots "$certs/root.pem" --cert "$certs/client-rsa2048.chain.pem" \
    --key "$certs/client-rsa2048.key" <"$work/client"
same 'with a client certificate: exit code' "$code" 0
same_file 'with a client certificate: the echo' "$work/out" "$work/client"

connect --roots "$certs/root.pem" <"$work/client"
same 'without a client certificate: exit code' "$code" 4
same 'without a client certificate: nothing came back' "$out" ''
kill "$pid"

finish
