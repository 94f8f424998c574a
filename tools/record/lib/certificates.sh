# Certificates for example.test, in the current folder.
#
# make_certificates   ca.pem; server.pem server.key (signed, with chain.pem = server + ca);
#                     self.pem self.key (self-signed); user.pem user.key (a person's); old.pem (expired)

make_certificates() {
    cat > ca.cnf <<-'END'
	[req]
	distinguished_name = dn
	prompt = no
	[dn]
	[ca]
	basicConstraints = critical, CA:true
	keyUsage = keyCertSign, cRLSign
	[server]
	subjectAltName = DNS:server.example.test, DNS:www.example.test, DNS:*.apps.example.test, IP:10.1.0.20
	extendedKeyUsage = serverAuth
	[user]
	subjectAltName = email:anna@example.test
	extendedKeyUsage = clientAuth
	END
    request() { # NAME SUBJECT KEY-OPTIONS…
        local name=$1 subject=$2; shift 2
        openssl req -new -nodes -config ca.cnf -newkey "$@" -keyout "$name.key" -subj "$subject" -out "$name.csr"
    }
    sign() { # NAME SECTION DAYS
        openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -set_serial "0x$4" -days "$3" \
            -extfile ca.cnf -extensions "$2" -out "$1.pem"
    }
    {
        request ca "/C=CH/O=Example Trust/CN=Example Test Root" rsa:2048
        openssl x509 -req -in ca.csr -signkey ca.key -days 3650 -extfile ca.cnf -extensions ca -out ca.pem
        request server "/C=CH/O=Example/CN=server.example.test" rsa:2048
        sign server server 365 1001
        request elliptic "/C=CH/O=Example/CN=server.example.test" ec -pkeyopt ec_paramgen_curve:prime256v1
        sign elliptic server 365 1002
        request user "/O=Example/CN=Anna Example/emailAddress=anna@example.test" rsa:2048
        sign user user 365 2001
        request self "/CN=localhost" rsa:2048
        openssl x509 -req -in self.csr -signkey self.key -days 3650 -out self.pem
    } > certificates.log 2>&1
    cat server.pem ca.pem > chain.pem
    chmod a+r ./*.key
}

# start_tls OPTIONS…   OpenSSL's server on port 443 with the signed certificate; it answers HTTP requests
start_tls() {
    start server openssl s_server -accept 443 -cert server.pem -key server.key -cert_chain ca.pem -www "$@"
    wait_tcp server 443
}

# hello OPTIONS…   OpenSSL's client asks for one page
hello() {
    printf 'GET / HTTP/1.0\r\n\r\n' |
        client openssl s_client -connect 10.1.0.20:443 -servername www.example.test -CAfile ca.pem -ign_eof "$@"
}
