#!/usr/bin/env bash
# One backend's client meets another's server, in two processes over loopback TCP.
#   crosstalk.sh CLIENT_PEER CERTS SERVER_PEER CLIENT_NAME SERVER_NAME
# peer.c says what is said in which connection. Every combination of version, server certificate and
# client certificate is a pair of processes of its own.
source "$(dirname -- "${BASH_SOURCE[0]}")/../tool/support.sh"
client_peer=$1 server_peer=$3 client_name=$4 server_name=$5
pair="client $client_name, server $server_name"
connections=0

# speaks NAME PEER VERSION: whether a backend has a version; one that has not is named.
speaks() {
    run "$2" can "$3"
    case $code in
    0) return 0 ;;
    3) printf 'left out: %s, which %s cannot speak (capability %s)\n' "$3" "$1" "${3^^}" ;;
    *)
        fail "$pair: $1 does not tell whether it speaks $3"
        printf '%s\n' "$err"
        ;;
    esac
    return 1
}

# complain WHAT: what both have said about a failure.
complain() {
    fail "$pair: $1"
    sed "s/^/    $server_name: /" "$work/server.err"
    sed "s/^/    $client_name: /" "$work/client.err"
}

# meet VERSION CERTIFICATE CLIENT
meet() {
    local what="$1, server certificate $2, client certificate $3" server_code word port
    local said_by_client said_by_server
    checks=$((checks + 1))
    : >"$work/server.err"
    : >"$work/client.err"
    "$server_peer" serve "$certs" "$@" >"$work/port" 2>"$work/server.err" &
    pid=$!
    pids=("$pid")
    exec 3<"$work/port"
    if ! read -r -t "$LIMIT" -u 3 word port || [[ $word != port ]]; then
        kill "$pid" 2>/dev/null
        complain "$what: the server does not listen"
        return
    fi
    "$client_peer" connect "$certs" "$@" "$port" >"$work/client.out" 2>"$work/client.err"
    code=$?
    ((code == 0)) || kill "$pid" 2>/dev/null # it would wait for the next connection
    said_by_server=$(cat <&3)
    exec 3<&-
    wait "$pid"
    server_code=$?
    pids=()
    said_by_client=$(<"$work/client.out")
    if ((code != 0 || server_code != 0)); then
        complain "$what: the client ended with $code, the server with $server_code"
    elif [[ ! $said_by_client =~ ^([0-9]+)\ connections,\ said\ ([0-9a-f]{16}),\ heard\ ([0-9a-f]{16})$ ||
        $said_by_server != "${BASH_REMATCH[1]} connections, said ${BASH_REMATCH[3]}, heard ${BASH_REMATCH[2]}" ]]; then
        complain "$what: the two do not agree: client \"$said_by_client\", server \"$said_by_server\""
    else
        connections=$((connections + BASH_REMATCH[1]))
    fi
}

mkfifo -- "$work/port"
for version in tls12 tls13; do
    speaks "$client_name" "$client_peer" "$version" || continue
    speaks "$server_name" "$server_peer" "$version" || continue
    # The client's key is of the other kind than the server's.
    meet "$version" rsa2048 none
    meet "$version" rsa2048 p256
    meet "$version" p256 none
    meet "$version" p256 rsa2048
done
printf '%s: %d connections\n' "$pair" "$connections"
finish
