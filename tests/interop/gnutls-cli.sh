#!/usr/bin/env bash
# `gnutls-cli` against `portls listen`: gnutls-cli.sh TOOL CERTS tls12|tls13
source "$(dirname -- "${BASH_SOURCE[0]}")/../tool/support.sh"
protocol=$3
case $protocol in
tls12) version=TLSv1.2 priority=NORMAL:-VERS-ALL:+VERS-TLS1.2 ;;
tls13) version=TLSv1.3 priority=NORMAL:-VERS-ALL:+VERS-TLS1.3 ;;
esac
server=(--protocol "$protocol" --cert "$certs/server-rsa2048.chain.pem"
    --key "$certs/server-rsa2048.key")

# gnutls_cli ROOT ARGUMENT...: what it says of itself goes to $work/log, so that standard output is
# what the server sent.
gnutls_cli() {
    local root=$1
    shift
    run gnutls-cli --priority "$priority" --x509cafile "$certs/$root.pem" --logfile "$work/log" \
        --verify-hostname localhost -p "$port" 127.0.0.1 "$@"
}

printf 'from the client\n' >"$work/client"

listen echo "${server[@]}" --echo --once --verbose
gnutls_cli root <"$work/client"
same 'gnutls-cli: exit code' "$code" 0
same_file 'the echo' "$work/out" "$work/client"
ended "$pid"
same 'portls listen: exit code' "$code" 0
matches 'the summary' "$(<"$work/echo.err")" \
    "portls listen: $version, [A-Z0-9_-]+, peer without a certificate"

listen mutual "${server[@]}" --echo --once --verbose --verify-client "$certs/root.pem"
gnutls_cli root --x509certfile "$certs/client-p256.chain.pem" \
    --x509keyfile "$certs/client-p256.key" <"$work/client"
same 'with a client certificate: exit code of gnutls-cli' "$code" 0
same_file 'with a client certificate: the echo' "$work/out" "$work/client"
ended "$pid"
same 'with a client certificate: exit code' "$code" 0
matches 'with a client certificate: the summary' "$(<"$work/mutual.err")" \
    "portls listen: $version, .*, peer .*portls client-p256.*, verified"

listen nobody "${server[@]}" --echo --once --verify-client "$certs/root.pem"
gnutls_cli root <"$work/client"
ended "$pid"
same 'without the demanded certificate: exit code' "$code" 3
same 'without the demanded certificate: nothing came back' "$out" ''

listen wrong "${server[@]}" --echo --once
gnutls_cli second-root <"$work/client"
same 'gnutls-cli with the wrong root: exit code' "$code" 1
ended "$pid"
same 'refused by gnutls-cli: exit code' "$code" 4

finish
