# HTTP/3 over QUIC by aioquic.
#
# start_quic OPTIONS…     a server on UDP port 443 with a signed certificate (see quic_server.py)
# fetch PATH… OPTIONS…    pages on one connection (see quic_client.py)

start_quic() {
    source "$TOOLS/lib/certificates.sh"
    make_certificates
    start server "$PYTHON" "$TOOLS/lib/quic_server.py" "$@"
    wait_udp server 443
}

fetch() { client "$PYTHON" "$TOOLS/lib/quic_client.py" "$@"; }
