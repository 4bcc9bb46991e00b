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
mkdir -- "$work/done" "$work/done/board" "$work/done/verify" "$work/issued"
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
    rsa4096) quiet genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:4096 -out "$2" ;;
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
readonly FOR_BOTH='extendedKeyUsage = serverAuth, clientAuth'
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

# break_signature FILE: changes the last bytes of FILE.pem.
break_signature() {
    quiet x509 -in "$1.pem" -outform DER -out "$work/good.der"
    local size
    size=$(wc -c <"$work/good.der")
    head -c "$((size - 4))" "$work/good.der" >"$work/bad.der"
    printf 'oops' >>"$work/bad.der"
    quiet x509 -inform DER -in "$work/bad.der" -out "$1.pem"
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
    for kind in rsa2048 rsa3072 rsa4096 p256 p384 ed25519; do
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
    break_signature bad-signature
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

# For a board whose TLS library knows P-256 and no RSA: all of their own.
make_board() {
    local file
    for file in root other-root; do
        issue board/$file p256 self "$FROM" "$UNTIL" "portls board $file" \
            "$CA_ONLY" "$SIGNS_CERTIFICATES"
    done
    issue board/server p256 board/root "$FROM" "$UNTIL" localhost \
        "$NO_CA" "$SIGNS" "$FOR_SERVERS" "subjectAltName = $LOCAL_NAMES"
    issue board/expired p256 board/root "$FROM" 20210101000000Z localhost \
        "$NO_CA" "$SIGNS" "$FOR_SERVERS" "subjectAltName = $LOCAL_NAMES"
    cp -- board/server.key board/odd.key
    issue board/odd p256 board/root "$FROM" "$UNTIL" odd \
        "$NO_CA" "$SIGNS" "$FOR_SERVERS" 'subjectAltName = DNS:odd.*.test'
}

# ---- the rows of the verification table, tests/parity/verify_table.c ----

# authority FILE ISSUER EXTENSION…: verify/FILE, an authority with a key of its own.
authority() {
    local file=$1 issuer=$2
    shift 2
    issue "verify/$file" p256 "$issuer" "${begins:-$FROM}" "${ends:-$UNTIL}" \
        "portls $file authority" "$@"
}

# row FILE ISSUER EXTENSION…: verify/FILE, an end entity with the key that nearly all of them have,
# and its chain: itself and its issuer, unless that is a root.
row() {
    local file=verify/$1 issuer=$2
    shift 2
    cp -- "${key:-verify/row}.key" "$file.key"
    issue "$file" p256 "$issuer" "${begins:-$FROM}" "${ends:-$UNTIL}" "${named:-localhost}" "$@"
    cp -- "$file.pem" "$file.chain.pem"
    [[ $issuer == *root || $issuer == self ]] || cat -- "$issuer.pem" >>"$file.chain.pem"
}

# local_row FILE ISSUER EXTENSION…: a row for both roles and the local names, right but for its
# issuer and what the extensions add.
local_row() {
    row "$@" "$NO_CA" "$SIGNS" "$FOR_BOTH" "subjectAltName = $LOCAL_NAMES"
}

# named_row FILE SAN [ISSUER]: a right one with these names; an empty SAN leaves the extension out.
named_row() {
    local names=()
    [[ -z $2 ]] || names=("subjectAltName = $2")
    row "$1" "${3:-verify/authority}" "$NO_CA" "$SIGNS" "$FOR_BOTH" ${names[@]+"${names[@]}"}
}

# chain FILE CERTIFICATE…: verify/FILE, only a chain, and the key of the rows.
chain() {
    local file=verify/$1
    shift
    cp -- verify/row.key "$file.key"
    cat -- "${@/%/.pem}" >"$file.chain.pem"
}

make_row_chains() {
    local a=verify/authority
    new_key p256 verify/row.key
    authority authority root "$CA_ONLY" "$SIGNS_CERTIFICATES"
    authority sub $a "$CA_ONLY" "$SIGNS_CERTIFICATES"
    cp -- $a.key verify/cross.key
    issue verify/cross p256 second-root "$FROM" "$UNTIL" 'portls authority authority' \
        "$CA_ONLY" "$SIGNS_CERTIFICATES"
    issue verify/false-root p256 self "$FROM" "$UNTIL" 'portls test root' \
        "$CA_ONLY" "$SIGNS_CERTIFICATES"
    local_row good $a
    local_row deep verify/sub
    local_row of-false-root verify/false-root
    chain deep verify/deep verify/sub $a
    chain alone verify/good
    chain gap verify/deep verify/sub
    chain wrong-order verify/deep $a verify/sub
    chain with-root verify/good $a root
    chain with-extra verify/good $a second-root expired
    chain extra-between verify/good second-root $a
    chain repeated verify/good $a $a verify/good
    chain cross verify/good verify/cross
    chain cross-behind verify/good $a verify/cross
    chain false-root-sent verify/of-false-root verify/false-root
    local_row self-signed self
    row self-authority self "$CA_ONLY" 'keyUsage = critical, digitalSignature, keyCertSign' \
        "subjectAltName = $LOCAL_NAMES"
}

make_row_times() {
    local ended=20210101000000Z future=20980101000000Z
    ends=$ended authority ended root "$CA_ONLY" "$SIGNS_CERTIFICATES"
    begins=$future authority future root "$CA_ONLY" "$SIGNS_CERTIFICATES"
    ends=$ended authority ended-root self "$CA_ONLY" "$SIGNS_CERTIFICATES"
    begins=$future authority future-root self "$CA_ONLY" "$SIGNS_CERTIFICATES"
    ends=$ended local_row ended-leaf verify/authority
    begins=$future local_row future-leaf verify/authority
    local_row of-ended verify/ended
    local_row of-future verify/future
    local_row of-ended-root verify/ended-root
    local_row of-future-root verify/future-root
}

make_row_purposes() {
    local a=verify/authority local_names="subjectAltName = $LOCAL_NAMES"
    authority clients-only root "$CA_ONLY" "$SIGNS_CERTIFICATES" "$FOR_CLIENTS"
    authority servers-only root "$CA_ONLY" "$SIGNS_CERTIFICATES" "$FOR_SERVERS"
    authority clients-only-root self "$CA_ONLY" "$SIGNS_CERTIFICATES" "$FOR_CLIENTS"
    local_row of-clients-only verify/clients-only
    local_row of-servers-only verify/servers-only
    local_row of-clients-only-root verify/clients-only-root
    row for-servers $a "$NO_CA" "$SIGNS" "$FOR_SERVERS" "$local_names"
    row for-clients $a "$NO_CA" "$SIGNS" "$FOR_CLIENTS" "$local_names"
    row for-all $a "$NO_CA" "$SIGNS" "$local_names"
    row for-any $a "$NO_CA" "$SIGNS" 'extendedKeyUsage = anyExtendedKeyUsage' "$local_names"
    row for-mail $a "$NO_CA" "$SIGNS" 'extendedKeyUsage = emailProtection' "$local_names"
    row no-usage $a "$NO_CA" "$FOR_BOTH" "$local_names"
    # RSA: with an EC key that may not sign a server does not even begin.
    local key=server-rsa2048 usage
    for usage in keyEncipherment keyAgreement nonRepudiation; do
        row only-$usage $a "$NO_CA" "keyUsage = critical, $usage" "$FOR_BOTH" "$local_names"
    done
}

make_row_constraints() {
    authority no-basic root "$SIGNS_CERTIFICATES"
    authority bare root 'nsComment = no constraints, no usage'
    authority no-authority root "$NO_CA" "$SIGNS_CERTIFICATES"
    authority no-signing root "$CA_ONLY" "$SIGNS"
    authority no-signing-root self "$CA_ONLY" "$SIGNS"
    authority unknown root "$CA_ONLY" "$SIGNS_CERTIFICATES" \
        '1.3.6.1.4.1.55555.1 = critical, ASN1:UTF8String:unknown'
    authority short root "$CA_ONLY, pathlen:0" "$SIGNS_CERTIFICATES"
    authority short-sub verify/short "$CA_ONLY" "$SIGNS_CERTIFICATES"
    authority tall root "$CA_ONLY, pathlen:1" "$SIGNS_CERTIFICATES"
    authority tall-sub verify/tall "$CA_ONLY" "$SIGNS_CERTIFICATES"
    authority short-root self "$CA_ONLY, pathlen:0" "$SIGNS_CERTIFICATES"
    authority root-sub verify/short-root "$CA_ONLY" "$SIGNS_CERTIFICATES"
    local file
    for file in no-basic bare no-authority no-signing no-signing-root unknown short-root; do
        local_row under-$file verify/$file
    done
    local_row too-long verify/short-sub
    chain too-long verify/too-long verify/short-sub verify/short
    local_row long-enough verify/tall-sub
    chain long-enough verify/long-enough verify/tall-sub verify/tall
    local_row too-long-for-root verify/root-sub
    local_row unknown-critical verify/authority \
        '1.3.6.1.4.1.55555.1 = critical, ASN1:UTF8String:unknown'
    local_row unknown-harmless verify/authority '1.3.6.1.4.1.55555.1 = ASN1:UTF8String:unknown'

    authority broken root "$CA_ONLY" "$SIGNS_CERTIFICATES"
    break_signature verify/broken
    local_row of-broken verify/broken
    local_row broken-leaf verify/authority
    break_signature verify/broken-leaf
    chain broken-leaf verify/broken-leaf verify/authority
}

make_row_name_constraints() {
    local all='ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'
    local inside='permitted;DNS:in.portls.test, permitted;IP:10.0.0.0/255.0.0.0'
    local outside="excluded;DNS:out.portls.test, excluded;IP:10.0.0.0/255.0.0.0"
    authority inside root "$CA_ONLY" "$SIGNS_CERTIFICATES" "nameConstraints = critical, $inside"
    authority outside root "$CA_ONLY" "$SIGNS_CERTIFICATES" \
        "nameConstraints = critical, $outside, excluded;IP:0:0:0:0:0:0:0:1/$all"
    authority inside-sub verify/inside "$CA_ONLY" "$SIGNS_CERTIFICATES"
    authority inside-root self "$CA_ONLY" "$SIGNS_CERTIFICATES" "nameConstraints = $inside"
    authority mail root "$CA_ONLY" "$SIGNS_CERTIFICATES" \
        'nameConstraints = critical, permitted;email:in.portls.test'
    authority subject-in root "$CA_ONLY" "$SIGNS_CERTIFICATES" \
        'nameConstraints = critical, permitted;dirName:subtree' '[subtree]' 'O = portls test'
    authority subject-out root "$CA_ONLY" "$SIGNS_CERTIFICATES" \
        'nameConstraints = critical, permitted;dirName:subtree' '[subtree]' 'O = somebody else'
    authority subject-excluded root "$CA_ONLY" "$SIGNS_CERTIFICATES" \
        'nameConstraints = critical, excluded;dirName:subtree' '[subtree]' 'O = portls test'

    authority outside-subject root "$CA_ONLY" "$SIGNS_CERTIFICATES" \
        "nameConstraints = critical, $outside, excluded;dirName:subtree" '[subtree]' 'O = portls test'

    local named=a.in.portls.test
    named_row in-below DNS:a.in.portls.test verify/inside
    named_row in-itself DNS:in.portls.test verify/inside
    named_row in-wildcard DNS:*.in.portls.test verify/inside
    named_row in-out DNS:out.portls.test verify/inside
    named_row in-both DNS:a.in.portls.test,DNS:out.portls.test verify/inside
    named_row in-alike DNS:not-in.portls.test verify/inside
    named_row in-address IP:10.1.2.3 verify/inside
    named_row in-other-address IP:127.0.0.1 verify/inside
    named_row in-common-name '' verify/inside
    named=out.portls.test named_row in-common-name-out '' verify/inside
    named_row in-deep DNS:a.in.portls.test verify/inside-sub
    named=out.portls.test named_row in-beside DNS:a.in.portls.test verify/inside
    chain in-deep verify/in-deep verify/inside-sub verify/inside
    named_row in-deep-out DNS:out.portls.test verify/inside-sub
    chain in-deep-out verify/in-deep-out verify/inside-sub verify/inside
    named_row in-root DNS:a.in.portls.test verify/inside-root
    named_row in-root-out DNS:out.portls.test verify/inside-root
    named=localhost
    named_row out-allowed DNS:server.portls.test,IP:127.0.0.1 verify/outside
    named_row out-below DNS:a.out.portls.test verify/outside
    named_row out-itself DNS:out.portls.test verify/outside
    named_row out-alike DNS:not-out.portls.test verify/outside
    named_row out-alike-subject DNS:not-out.portls.test verify/outside-subject
    named_row out-capitals DNS:A.OUT.Portls.Test verify/outside
    named_row out-address IP:10.1.2.3 verify/outside
    named_row out-address-6 IP:::1 verify/outside
    named_row mail-in email:a@in.portls.test,DNS:localhost verify/mail
    named_row mail-out email:a@out.portls.test,DNS:localhost verify/mail
    local file
    for file in subject-in subject-out subject-excluded; do
        local_row of-$file verify/$file
    done
}

make_row_names() {
    named_row names 'DNS:first.portls.test, DNS:UPPER.Portls.Test, DNS:xn--bcher-kva.portls.test, \
        DNS:*.wild.portls.test, IP:192.0.2.1, IP:2001:db8::1'
    named_row dot DNS:dot.portls.test.
    named_row address-as-dns DNS:192.0.2.1
    named_row address-as-dns-6 DNS:2001:db8::1
    named_row address-as-wildcard DNS:*.0.2.1
    named_row odd 'DNS:a.*.odd.portls.test, DNS:w*.odd.portls.test, DNS:*w.odd.portls.test, \
        DNS:w*w.odd.portls.test, DNS:xn--*.odd.portls.test, DNS:**.odd.portls.test, \
        DNS:*.*.odd.portls.test, DNS:odd.portls.*, DNS:*.test, DNS:*, DNS:.odd.portls.test'
    named='*.cn.portls.test' named_row common-name-wildcard ''
    named=192.0.2.1 named_row common-name-address ''
    named_row common-name ''
    named_row common-name-dns DNS:other.portls.test
    named_row common-name-ip IP:192.0.2.1
    named_row common-name-mail email:someone@portls.test
    named_row common-name-uri URI:https://localhost/
    named_row common-name-empty DER:30:00
    # "localhost", a zero byte, ".evil.test": C strings end too early in it.
    named_row nul-name DER:30:16:82:14:6c:6f:63:61:6c:68:6f:73:74:00:2e:65:76:69:6c:2e:74:65:73:74
    make_nul_common_name
}

write_byte() {
    printf '%b' "\\x$(printf %02x "$1")"
}

# The same as a common name. No tool writes one: the name of a good certificate is changed, and the
# certificate is signed anew.
make_nul_common_name() {
    local file=verify/common-name-nul place size
    named='localhost!.evil.test' named_row common-name-nul ''
    quiet x509 -in $file.pem -outform DER -out "$work/good.der"
    quiet asn1parse -inform DER -in "$work/good.der" -strparse 4 -noout -out "$work/named"
    place=$(grep -abo 'localhost!' "$work/named" | head -n 1)
    place=${place%%:*}
    {
        head -c "$((place + 9))" "$work/named"
        printf '\0'
        tail -c "+$((place + 11))" "$work/named"
    } >"$work/body"
    quiet dgst -sha256 -sign verify/authority.key -out "$work/signature" "$work/body"
    size=$(wc -c <"$work/signature")
    {
        # The algorithm, ecdsa-with-SHA256, and the head of a bit string.
        printf '\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02'
        write_byte 3
        write_byte $((size + 1))
        write_byte 0
        cat -- "$work/signature"
    } >>"$work/body"
    size=$(wc -c <"$work/body")
    {
        printf '\x30\x82'
        write_byte $((size / 256))
        write_byte $((size % 256))
        cat -- "$work/body"
    } >"$work/whole.der"
    quiet x509 -inform DER -in "$work/whole.der" -out $file.pem
    chain common-name-nul $file verify/authority
}

make_authorities
make_servers
make_bad_signature
make_clients
make_key_forms
make_test_pem
make_board
make_row_chains
make_row_times
make_row_purposes
make_row_constraints
make_row_name_constraints
make_row_names

rm -rf -- "$output/roots.d" "$output/board" "$output/verify"
mv -f -- ./* "$output/"
printf '%s\n' "$stamp_text" >"$output/certs.stamp"
