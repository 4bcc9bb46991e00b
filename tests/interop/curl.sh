#!/usr/bin/env bash
# `curl` against `portls listen`, which answers one request: curl.sh TOOL CERTS tls12|tls13
source "$(dirname -- "${BASH_SOURCE[0]}")/../tool/support.sh"
protocol=$3
case $protocol in
tls12) version=TLSv1.2 range=(--tlsv1.2 --tls-max 1.2) ;;
tls13) version=TLSv1.3 range=(--tlsv1.3 --tls-max 1.3) ;;
esac
server=(--protocol "$protocol" --cert "$certs/server-p384.chain.pem"
    --key "$certs/server-p384.key" --verbose)

head -c 200000 /dev/urandom | base64 >"$work/page"

# answer NAME: what a web server would say, for the next `listen NAME`.
answer() {
    printf 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n' \
        "$(wc -c <"$work/page")" | cat - "$work/page" >"$work/$1.in"
}

# curl_get ROOT ARGUMENT...
curl_get() {
    local root=$1
    shift
    run curl --silent --show-error --noproxy '*' "${range[@]}" --cacert "$certs/$root.pem" "$@" \
        "https://localhost:$port/page" </dev/null
}

answer plain
listen plain "${server[@]}"
curl_get root
same 'curl: exit code' "$code" 0
same_file 'the page' "$work/out" "$work/page"
ended "$pid"
same 'portls listen: exit code' "$code" 0
matches 'the request' "$(tr -d '\r' <"$work/plain.out")" $'^GET /page HTTP/1\\.1\nHost: localhost'
matches 'the summary' "$(<"$work/plain.err")" \
    "portls listen: $version, [A-Z0-9_-]+, peer without a certificate"

answer mutual
listen mutual "${server[@]}" --verify-client "$certs/root.pem"
curl_get root --cert "$certs/client-rsa2048.chain.pem" --key "$certs/client-rsa2048.key"
same 'with a client certificate: exit code of curl' "$code" 0
same_file 'with a client certificate: the page' "$work/out" "$work/page"
ended "$pid"
same 'with a client certificate: exit code' "$code" 0
matches 'with a client certificate: the summary' "$(<"$work/mutual.err")" \
    "portls listen: $version, .*, peer .*portls client-rsa2048.*, verified"

answer nobody
listen nobody "${server[@]}" --verify-client "$certs/root.pem" --once
curl_get root
matches 'without the demanded certificate: exit code of curl' "$code" '^(35|56)$'
same 'without the demanded certificate: no page' "$out" ''
ended "$pid"
same 'without the demanded certificate: exit code' "$code" 3

answer wrong
listen wrong "${server[@]}" --once
curl_get second-root
same 'curl with the wrong root: exit code' "$code" 60
ended "$pid"
same 'refused by curl: exit code' "$code" 4

finish
