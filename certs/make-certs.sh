#!/usr/bin/env bash
#
# Makes the certificates and keys of the tests: certs/make-certs.sh OUTPUT_DIR
#
# certs/README.md says what each file is for. Nothing is done when OUTPUT_DIR/certs.stamp is there
# and was written by this very script; else everything is made anew in a directory beside the
# others and moved into place, the stamp last, so that a build system can depend on the stamp and
# a run that was broken off leaves nothing half-made behind it. It needs bash, the common file
# commands, and the openssl command (1.1.1 or later).

set -euo pipefail
umask 077
export LC_ALL=C

readonly PASSWORD=portls
readonly FROM=20200101000000Z
readonly UNTIL=20991231235959Z

fail() {
    printf 'make-certs.sh: %s\n' "$1" >&2
    exit 1
}

[[ $# -eq 1 && -n $1 ]] || fail 'usage: make-certs.sh OUTPUT_DIR'
command -v openssl >/dev/null || fail 'the openssl command is needed and was not found'

mkdir -p -- "$1"
output=$(cd -- "$1" && pwd)
script=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)/$(basename -- "${BASH_SOURCE[0]}")
readonly output script
stamp_text="made by $(openssl dgst -sha256 -r <"$script" | cut -c 1-64)"
readonly stamp_text

if [[ -f $output/certs.stamp && $(<"$output/certs.stamp") == "$stamp_text" ]]; then
    touch -- "$output/certs.stamp"
    exit 0
fi
rm -f -- "$output/certs.stamp"

work=$(mktemp -d "$output/making.XXXXXX")
readonly work
trap 'rm -rf -- "$work"' EXIT
mkdir -- "$work/done" "$work/issued"
cd -- "$work/done"

# Everything openssl says goes into a log that is shown only when it fails.
quiet() {
    if ! openssl "$@" >"$work/log" 2>&1 </dev/null; then
        cat -- "$work/log" >&2
        fail "'openssl $1' failed"
    fi
}

# new_key KIND FILE: a fresh key as PKCS#8 PEM.
new_key() {
    case $1 in
    rsa2048) quiet genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$2" ;;
    rsa3072) quiet genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out "$2" ;;
    rsapss) quiet genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out "$2" ;;
    p256) quiet genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$2" ;;
    p384) quiet genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out "$2" ;;
    ed25519) quiet genpkey -algorithm ED25519 -out "$2" ;;
    *) fail "no kind of key is called $1" ;;
    esac
}

# write_config COMMON_NAME EXTENSION…: one file for 'openssl req' and 'openssl ca' alike.
write_config() {
    local name=$1
    shift
    cat >"$work/config" <<END
[req]
prompt = no
distinguished_name = subject
[subject]
O = portls test
CN = $name
[ca]
default_ca = issuer
[issuer]
dir = $work
database = $work/database
new_certs_dir = $work/issued
rand_serial = yes
unique_subject = no
default_md = sha256
policy = anything
x509_extensions = extensions
[anything]
organizationName = optional
commonName = supplied
[extensions]
subjectKeyIdentifier = hash
$(printf '%s\n' "$@")
END
    : >"$work/database"
    printf 'unique_subject = no\n' >"$work/database.attr"
}

# issue FILE KEY_KIND ISSUER FROM UNTIL COMMON_NAME EXTENSION…: FILE.key, unless it is there, and
# FILE.pem. The issuer 'self' signs with the key itself.
issue() {
    local file=$1 kind=$2 issuer=$3 from=$4 until=$5 name=$6
    shift 6
    [[ -f $file.key ]] || new_key "$kind" "$file.key"
    if [[ $issuer == self ]]; then
        write_config "$name" "$@"
        set -- -selfsign -keyfile "$file.key"
    else
        write_config "$name" 'authorityKeyIdentifier = keyid' "$@"
        set -- -cert "$issuer.pem" -keyfile "$issuer.key"
    fi
    quiet req -new -utf8 -config "$work/config" -key "$file.key" -out "$work/request"
    quiet ca -batch -notext -config "$work/config" -startdate "$from" \
        -enddate "$until" -in "$work/request" -out "$file.pem" "$@"
}

readonly CA_ONLY='basicConstraints = critical, CA:TRUE'
readonly NO_CA='basicConstraints = critical, CA:FALSE'
readonly SIGNS_CERTIFICATES='keyUsage = critical, keyCertSign, cRLSign'
readonly SIGNS='keyUsage = critical, digitalSignature'
readonly FOR_SERVERS='extendedKeyUsage = serverAuth'
readonly FOR_CLIENTS='extendedKeyUsage = clientAuth'
readonly LOCAL_NAMES='DNS:localhost, DNS:server.portls.test, IP:127.0.0.1, IP:::1'

# leaf FILE KEY_KIND COMMON_NAME SAN [FROM UNTIL]: a server certificate of the intermediate, and
# its chain. An empty SAN leaves the extension out.
leaf() {
    local names=()
    [[ -z $4 ]] || names=("subjectAltName = $4")
    issue "$1" "$2" intermediate "${5:-$FROM}" "${6:-$UNTIL}" "$3" \
        "$NO_CA" "$SIGNS" "$FOR_SERVERS" ${names[@]+"${names[@]}"}
    cat -- "$1.pem" intermediate.pem >"$1.chain.pem"
}

make_authorities() {
    issue root rsa2048 self "$FROM" "$UNTIL" 'portls test root' "$CA_ONLY" "$SIGNS_CERTIFICATES"
    issue second-root rsa2048 self "$FROM" "$UNTIL" 'portls second test root' \
        "$CA_ONLY" "$SIGNS_CERTIFICATES"
    issue intermediate rsa2048 root "$FROM" "$UNTIL" 'portls test intermediate' \
        "$CA_ONLY, pathlen:0" "$SIGNS_CERTIFICATES"
    cat -- root.pem second-root.pem >roots.pem
    mkdir -- roots.d
    cp -- root.pem roots.d/root.pem
    cp -- second-root.pem roots.d/second-root.crt
    printf 'No certificate is in this file, and it is to be passed over.\n' >roots.d/notes.txt
}

make_servers() {
    local kind
    for kind in rsa2048 rsa3072 p256 p384 ed25519; do
        leaf "server-$kind" "$kind" localhost "$LOCAL_NAMES"
    done
    leaf wildcard rsa2048 wildcard 'DNS:*.wild.portls.test'
    leaf odd-wildcard rsa2048 odd \
        'DNS:*.*.wild.portls.test, DNS:f*.wild.portls.test, DNS:sub.*.portls.test, DNS:*'
    leaf ip-only rsa2048 ip-only 'IP:127.0.0.1, IP:::1'
    leaf ip-as-dns rsa2048 ip-as-dns 'DNS:127.0.0.1'
    leaf no-san rsa2048 localhost ''
    leaf other-name rsa2048 localhost 'DNS:other.portls.test'
    leaf expired rsa2048 localhost "$LOCAL_NAMES" "$FROM" 20210101000000Z
    leaf not-yet-valid rsa2048 localhost "$LOCAL_NAMES" 20980101000000Z "$UNTIL"
    # A DNS name of "localhost", a zero byte, ".evil.test": C strings end too early in it.
    leaf nul-name rsa2048 nul-name \
        'DER:30:16:82:14:6c:6f:63:61:6c:68:6f:73:74:00:2e:65:76:69:6c:2e:74:65:73:74'

    issue wrong-purpose rsa2048 intermediate "$FROM" "$UNTIL" localhost \
        "$NO_CA" "$SIGNS" "$FOR_CLIENTS" "subjectAltName = $LOCAL_NAMES"
    cat -- wrong-purpose.pem intermediate.pem >wrong-purpose.chain.pem
    issue second-root-leaf rsa2048 second-root "$FROM" "$UNTIL" localhost \
        "$NO_CA" "$SIGNS" "$FOR_SERVERS" "subjectAltName = $LOCAL_NAMES"
    cp -- second-root-leaf.pem second-root-leaf.chain.pem
    issue self-signed rsa2048 self "$FROM" "$UNTIL" localhost \
        "$NO_CA" "$SIGNS" "$FOR_SERVERS" "subjectAltName = $LOCAL_NAMES"
    cp -- self-signed.pem self-signed.chain.pem
    issue leaf-of-leaf rsa2048 server-rsa2048 "$FROM" "$UNTIL" localhost \
        "$NO_CA" "$SIGNS" "$FOR_SERVERS" "subjectAltName = $LOCAL_NAMES"
    cat -- leaf-of-leaf.pem server-rsa2048.pem intermediate.pem >leaf-of-leaf.chain.pem
}

# A certificate whose signature is wrong: the last bytes of a good one changed.
make_bad_signature() {
    leaf bad-signature rsa2048 localhost "$LOCAL_NAMES"
    quiet x509 -in bad-signature.pem -outform DER -out "$work/good.der"
    local size
    size=$(wc -c <"$work/good.der")
    head -c "$((size - 4))" "$work/good.der" >"$work/bad.der"
    printf 'oops' >>"$work/bad.der"
    quiet x509 -inform DER -in "$work/bad.der" -out bad-signature.pem
    cat -- bad-signature.pem intermediate.pem >bad-signature.chain.pem
}

make_clients() {
    local kind file
    for kind in rsa2048 p256; do
        file=client-$kind
        issue "$file" "$kind" intermediate "$FROM" "$UNTIL" "portls $file" \
            "$NO_CA" "$SIGNS" "$FOR_CLIENTS"
        cat -- "$file.pem" intermediate.pem >"$file.chain.pem"
    done
    issue client-second-root rsa2048 second-root "$FROM" "$UNTIL" 'portls client-second-root' \
        "$NO_CA" "$SIGNS" "$FOR_CLIENTS"
    cp -- client-second-root.pem client-second-root.chain.pem
}

# The keys of server-rsa2048 and server-p256 in every other form, and kinds no certificate has.
make_key_forms() {
    local rsa=server-rsa2048 ec=server-p256 file
    quiet pkey -in $rsa.key -traditional -out rsa.pkcs1.key
    quiet pkey -in $ec.key -traditional -out ec.sec1.key
    quiet rsa -in $rsa.key -outform DER -traditional -out rsa.pkcs1.der
    quiet ec -in $ec.key -outform DER -out ec.sec1.der
    quiet pkey -in server-ed25519.key -outform DER -out ed25519.pkcs8.der
    for file in rsa:$rsa ec:$ec; do
        quiet pkcs8 -topk8 -nocrypt -in "${file#*:}.key" -outform DER -out "${file%%:*}.pkcs8.der"
        quiet pkcs8 -topk8 -v2 aes-256-cbc -iter 2048 -passout "pass:$PASSWORD" \
            -in "${file#*:}.key" -out "${file%%:*}.encrypted-pkcs8.key"
        quiet pkcs8 -topk8 -v2 aes-256-cbc -iter 2048 -passout "pass:$PASSWORD" \
            -in "${file#*:}.key" -outform DER -out "${file%%:*}.encrypted-pkcs8.der"
        quiet pkey -traditional -aes128 -passout "pass:$PASSWORD" \
            -in "${file#*:}.key" -out "${file%%:*}.encrypted-traditional.key"
    done
    new_key rsapss rsa-pss.key

    cat -- $ec.key $rsa.key >ec-then-rsa.key
    cat -- ec.sec1.key rsa.pkcs1.key >ec-then-rsa.traditional.key
    quiet ecparam -name prime256v1 -out "$work/parameters"
    cat -- "$work/parameters" ec.sec1.key $rsa.key >parameters-ec-then-rsa.key
    cat -- ec.encrypted-traditional.key $rsa.key >encrypted-ec-then-rsa.key
    cat -- ec.encrypted-pkcs8.key $rsa.key >encrypted-pkcs8-then-rsa.key
}

# The manual's test.pem: certificate and key in one file.
make_test_pem() {
    issue test rsa2048 self "$FROM" "$UNTIL" test "$CA_ONLY" \
        'keyUsage = critical, digitalSignature, keyCertSign' \
        "subjectAltName = DNS:test, $LOCAL_NAMES"
    cat -- test.pem test.key >"$work/both"
    rm -f -- test.key
    mv -- "$work/both" test.pem
}

make_authorities
make_servers
make_bad_signature
make_clients
make_key_forms
make_test_pem

rm -rf -- "$output/roots.d"
mv -f -- ./* "$output/"
printf '%s\n' "$stamp_text" >"$output/certs.stamp"
