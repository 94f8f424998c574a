#!/usr/bin/env bash
# shows: Negotiation refused: the server demands network level authentication (failure code 5) of a client
#        with only TLS and of one with only the old security.
# programs: xfreerdp, freerdp-shadow-cli
# check: rdp and frame[81:1] == 05
set -euo pipefail
source "$TOOLS/lib/rdp.sh"
start_screen
hash=$(printf wonderland | iconv -t UTF-16LE | openssl dgst -provider legacy -provider default -md4 | sed 's/.*= //')
echo "anna:::$hash:::" > sam
start server env DISPLAY=:77 HOME="$WORK" freerdp-shadow-cli /port:3389 /sam-file:"$WORK/sam" /sec:nla
wait_tcp server 3389
capture

desktop 2 /sec:tls
desktop 2 /sec:rdp
