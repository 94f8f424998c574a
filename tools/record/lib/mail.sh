# Mail servers: aiosmtpd for SMTP, Dovecot for IMAP and POP3. The user is anna, password wonderland.
#
# start_smtp [tls]     port 25 in clear, with STARTTLS if asked
# start_dovecot        IMAP on 143, POP3 on 110, both with STARTTLS, and IMAPS on 993

start_smtp() {
    source "$TOOLS/lib/certificates.sh"
    make_certificates
    cat > smtp.py <<-'END'
	import asyncio, ssl, sys
	from aiosmtpd.smtp import SMTP, AuthResult
	class Inbox:
	    async def handle_RCPT(self, server, session, envelope, address, options):
	        if address.startswith("nobody"):
	            return "550 5.1.1 no such user"
	        envelope.rcpt_tos.append(address)
	        return "250 2.1.5 OK"
	    async def handle_DATA(self, server, session, envelope):
	        return "554 5.7.1 we do not want this" if b"XJS*C4JDBQADN1" in envelope.content else "250 2.0.0 taken"
	def check(server, session, envelope, mechanism, data):
	    return AuthResult(success=getattr(data, "password", b"") == b"wonderland", handled=False)
	context = None
	if "tls" in sys.argv:
	    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
	    context.load_cert_chain("chain.pem", "server.key")
	def make():
	    return SMTP(Inbox(), hostname="mail.example.test", ident="test mail server", tls_context=context,
	                authenticator=check, auth_require_tls=False, enable_SMTPUTF8=True)
	async def main():
	    server = await asyncio.get_running_loop().create_server(make, "0.0.0.0", 25)
	    await server.serve_forever()
	asyncio.run(main())
	END
    start server "$PYTHON" smtp.py "$@"
    wait_tcp server 25
}

start_dovecot() {
    source "$TOOLS/lib/certificates.sh"
    make_certificates
    mkdir -p mail/{cur,new,tmp} run state
    printf 'From: bo@example.test\nTo: anna@example.test\nSubject: lunch\n\nAt noon?\n' > mail/new/1.test
    printf 'From: bo@example.test\nTo: anna@example.test\nSubject: =?utf-8?q?caf=C3=A9?=\n\nBring the papers.\n' > mail/new/2.test
    chown -R nobody:nogroup mail
    echo 'anna:{PLAIN}wonderland:65534:65534::::' > users
    cat > dovecot.conf <<-END
	base_dir = $WORK/run
	state_dir = $WORK/state
	log_path = $WORK/dovecot.log
	protocols = imap pop3
	listen = 10.1.0.20
	first_valid_uid = 1
	first_valid_gid = 1
	mail_location = maildir:$WORK/mail
	auth_mechanisms = plain login cram-md5
	disable_plaintext_auth = no
	ssl = yes
	ssl_cert = <$WORK/chain.pem
	ssl_key = <$WORK/server.key
	passdb {
	  driver = passwd-file
	  args = $WORK/users
	}
	userdb {
	  driver = static
	  args = uid=nobody gid=nogroup home=$WORK/mail
	}
	END
    start server dovecot -F -c "$WORK/dovecot.conf"
    wait_tcp server 143
}

# starttls PROTOCOL PORT   OpenSSL's client upgrades a clear connection
starttls() {
    (sleep 0.7; echo "${3:-QUIT}"; sleep 0.5) |
        client openssl s_client -connect "10.1.0.20:$2" -starttls "$1" -servername server.example.test -CAfile ca.pem -quiet -ign_eof
}
