#!/usr/bin/env bash
# shows: Dynamic updates signed with TSIG: a record added, then removed; one with a bad key, refused.
# programs: nsupdate, named
# check: dns.flags.opcode == 5; dns.tsig.algorithm_name; dns.flags.rcode == 9
set -euo pipefail
source "$TOOLS/lib/named.sh"
start_named
capture

update() {
    printf 'server 10.1.0.20\nzone example.test\n%s\nsend\n' "$1" |
        client nsupdate -y "hmac-sha256:update:$2"
}
update 'update add new.example.test 120 A 10.1.0.77' c2VydmFsIHRlc3Qga2V5IG9ubHk=
update 'update delete new.example.test A' c2VydmFsIHRlc3Qga2V5IG9ubHk=
expect_failure update 'update add bad.example.test 120 A 10.1.0.78' bm90IHRoZSBrZXk=
