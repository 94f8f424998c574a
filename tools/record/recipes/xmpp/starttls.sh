#!/usr/bin/env bash
# shows: XMPP upgraded to TLS by starttls, client to server (port 5222), and a plain logon in clear that
#        fails.
# programs: openssl, ncat, prosody
# check: xmpp.starttls or frame contains "<starttls"; tcp.port == 5222 and tls.handshake.type == 1
set -euo pipefail
source "$TOOLS/lib/certificates.sh"
make_certificates
mkdir data run
chown prosody data run server.key
cat > prosody.cfg.lua <<END
pidfile = "$WORK/run/prosody.pid"
data_path = "$WORK/data"
daemonize = false
run_as_root = true
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
modules_enabled = { "tls", "saslauth", "disco", "roster" }
interfaces = { "10.1.0.20" }
ssl = { certificate = "$WORK/chain.pem", key = "$WORK/server.key" }
log = { info = "$WORK/prosody.log" }
VirtualHost "server.example.test"
END
start server prosody --config "$WORK/prosody.cfg.lua" -F
wait_tcp server 5222
capture

(sleep 1; echo "</stream:stream>"; sleep 0.5) |
    client openssl s_client -connect 10.1.0.20:5222 -starttls xmpp -xmpphost server.example.test -CAfile ca.pem -quiet -ign_eof || true
{
    echo "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='server.example.test' version='1.0'>"
    sleep 0.5
    echo "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>$(printf '\0anna\0guess' | base64)</auth>"
    sleep 1
    echo "</stream:stream>"
} | client ncat -i 3 10.1.0.20 5222 || true
