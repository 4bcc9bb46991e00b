#!/usr/bin/env bash
# Files that are of no use to portls: exit code 5, and the exact words.
# files.sh TOOL CERTS
source "$(dirname -- "${BASH_SOURCE[0]}")/support.sh"

cert=$certs/server-rsa2048.chain.pem
key=$certs/server-rsa2048.key
: >"$work/empty.pem"
head -n 5 "$certs/root.pem" >"$work/cut.pem"
sed '3s/./*/' "$certs/root.pem" >"$work/changed.pem"

# refused MESSAGE ARGUMENT...
refused() {
    local message=$1
    shift
    run "$tool" "$@" </dev/null
    same "portls $*: exit code" "$code" 5
    same "portls $*: message" "$err" "portls $1: $message"
    same "portls $*: standard output" "$out" ''
}

none=$work/none.pem
certificate_wanted='(a PEM block that begins with -----BEGIN CERTIFICATE----- was expected)'
key_wanted='(a PEM block that begins with -----BEGIN PRIVATE KEY-----, or with RSA or EC before '\
'PRIVATE, was expected)'
decrypt='is encrypted, and nothing asks for a password (decrypt it with: openssl pkey -in FILE '\
'-out NEWFILE)'

options=(--cert --verify-client --roots)
if "$tool" info --capabilities | grep -q '^SUGGESTED_AUTHORITIES  *yes'; then
    options+=(--suggest)
fi
for option in "${options[@]}"; do
    case $option in
    --cert) before=(listen 0 --key "$key") ;;
    --roots) before=(connect localhost:1) ;;
    *) before=(listen 0 --cert "$cert" --key "$key") ;;
    esac
    refused "$none: there is no such file or directory" "${before[@]}" $option "$none"
    refused "$work: is a directory, not a file" "${before[@]}" $option "$work"
    refused "$work/empty.pem: it is empty $certificate_wanted" \
        "${before[@]}" $option "$work/empty.pem"
    refused "$key: no certificate in it $certificate_wanted" "${before[@]}" $option "$key"
    refused "$work/cut.pem: the PEM block CERTIFICATE that begins in line 1 has no line -----END \
CERTIFICATE-----" "${before[@]}" $option "$work/cut.pem"
    refused "$work/changed.pem: the PEM block CERTIFICATE that begins in line 1 has a character \
that base64 has not at this place (line 3)" "${before[@]}" $option "$work/changed.pem"
done

# key_refused MESSAGE FILE
key_refused() {
    refused "$2: $1" listen 0 --cert "$cert" --key "$2"
}
key_refused 'there is no such file or directory' "$none"
key_refused 'is a directory, not a file' "$work"
key_refused "it is empty $key_wanted" "$work/empty.pem"
key_refused "no private key in it $key_wanted" "$cert"
key_refused "the private key in line 1 $decrypt" "$certs/rsa.encrypted-pkcs8.key"
key_refused "the private key in line 1 $decrypt" "$certs/rsa.encrypted-traditional.key"
key_refused 'it is DER (ASN.1), and PEM was asked for (PORTLS_ASN1 loads a key in DER)' \
    "$certs/rsa.pkcs8.der"

# Without --key the key is looked for in the file of --cert.
refused "$cert: no private key in it $key_wanted" listen 0 --cert "$cert"
run "$tool" connect --no-verify --cert "$cert" localhost:1 </dev/null
same 'connect --cert without a key in it: exit code' "$code" 5

# Keys of another certificate: of another size, of the same size, of the same curve.
mismatch='the private key does not belong to the certificate'
refused "$certs/server-rsa3072.key: $mismatch" listen 0 --cert "$cert" --key "$certs/server-rsa3072.key"
refused "$certs/client-rsa2048.key: $mismatch" listen 0 --cert "$cert" --key "$certs/client-rsa2048.key"
refused "$certs/client-p256.key: $mismatch" listen 0 --cert "$certs/server-p256.chain.pem" --key "$certs/client-p256.key"

# The system's roots, where the environment names a file that is not there.
SSL_CERT_FILE=$none refused "$none: named by SSL_CERT_FILE, cannot be read: there is no such file \
or directory" connect localhost:1

finish
