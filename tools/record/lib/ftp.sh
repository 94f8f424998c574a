# An FTP server (pyftpdlib) on port 21 for anna (password wonderland) and for anonymous guests.
#
# start_ftp [tls]

start_ftp() {
    source "$TOOLS/lib/certificates.sh"
    make_certificates
    cat chain.pem server.key > both.pem
    mkdir -p "$WORK/files"
    echo "quarterly numbers" > "$WORK/files/report.txt"
    seq 1 500 > "$WORK/files/numbers.txt"
    cat > ftp.py <<-'END'
	import sys
	from pyftpdlib.authorizers import DummyAuthorizer
	from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
	from pyftpdlib.servers import FTPServer
	users = DummyAuthorizer()
	users.add_user("anna", "wonderland", "files", perm="elradfmwMT")
	users.add_anonymous("files")
	handler = TLS_FTPHandler if "tls" in sys.argv else FTPHandler
	if "tls" in sys.argv:
	    handler.certfile = "both.pem"
	handler.authorizer = users
	handler.auth_failed_timeout = 0.2
	FTPServer(("::", 21), handler).serve_forever()
	END
    start server "$PYTHON" ftp.py "$@"
    wait_tcp server 21
}
