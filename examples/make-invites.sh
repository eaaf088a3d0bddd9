#!/usr/bin/env bash
# Writes the INVITEs of invites/ anew, signed with the lab's keys: examples/make-invites.sh [path of stirtrace]
set -euo pipefail
cd "$(dirname "$0")/invites"
stirtrace=${1:-../../target/release/stirtrace}
certs=../../certs

# value SIGNER ATTEST DEST: the value of an Identity header for a call from 12155550112.
value() {
    "$stirtrace" --quiet sign --key "$certs/keys/$1.pem" --certificate "$certs/archive/certificates.lab.example/$1.pem" \
        --x5u "https://certificates.lab.example/$1.pem" --attest "$2" --orig 12155550112 --dest "$3" \
        --origid 123e4567-e89b-42d3-a456-426655440000 --iat 2026-05-04T12:00:01Z 2>/dev/null
}

# invite CALL-ID CALLED IDENTITY: an INVITE of that moment.
invite() {
    printf '%s\r\n' "INVITE sip:+$2@cascade.example SIP/2.0" \
        "Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK-$1" "Max-Forwards: 69" \
        "From: <sip:+12155550112@twill.example;user=phone>;tag=$1" "To: <sip:+$2@cascade.example;user=phone>" \
        "Call-ID: $1@twill.example" "CSeq: 1 INVITE" "Contact: <sip:198.51.100.7:5060>" \
        "Date: Mon, 04 May 2026 12:00:01 GMT" "Identity: $3" "Content-Length: 0" ""
}

signed=$(value twill B 12155550131)
invite signed 12155550131 "$signed" >signed.sip
invite other-call 12155550177 "$signed" >signed-for-another-call.sip
invite revoked 12155550131 "$(value revoked A 12155550131)" >revoked-signer.sip
invite cut 12155550131 "${signed:0:90} ${signed:90}" >folded-inside-the-token.sip
invite upgraded 12155550131 "$(sed 's/eyJhdHRlc3QiOiJC/eyJhdHRlc3QiOiJB/' <<<"$signed")" >attestation-changed.sip
