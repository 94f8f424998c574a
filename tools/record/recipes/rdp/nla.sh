#!/usr/bin/env bash
# shows: Remote desktop with network level authentication (CredSSP inside TLS) by FreeRDP's shadow server: a
#        wrong password, then the right one.
# programs: xfreerdp, freerdp-shadow-cli
# check: tcp.dstport == 3389 and tcp.payload[0:2] == 16:03; rdp
set -euo pipefail
source "$TOOLS/lib/rdp.sh"
start_screen
hash=$(printf wonderland | iconv -t UTF-16LE | openssl dgst -provider legacy -provider default -md4 | sed 's/.*= //')
echo "anna:::$hash:::" > sam
start server env DISPLAY=:77 HOME="$WORK" freerdp-shadow-cli /port:3389 /sam-file:"$WORK/sam" /sec:nla
wait_tcp server 3389
capture

client timeout 5 xfreerdp /v:10.1.0.20 /u:anna /p:guess /cert:ignore /sec:nla /size:320x240 /bpp:8 || true
desktop 2 /sec:nla
