# A name server with a small world to ask about: the zones example.test, big.example.test
# (answers too long for one datagram), signed.example.test (DNSSEC), the reverse zones, and
# broken.example.test, which it cannot load.
#
# start_named [OPTIONS…]   extra lines for the options block

start_named() {
    local zones=$WORK/named
    mkdir -p "$zones"
    cat > "$zones/named.conf" <<-END
	options {
	    directory "$zones"; pid-file none; session-keyfile none; managed-keys-directory "$zones";
	    listen-on { any; }; listen-on-v6 { any; };
	    recursion no; dnssec-validation no; check-names primary ignore; version "one two three";
	    allow-transfer { any; };
	    ${*}
	};
	controls { };
	key "update" { algorithm hmac-sha256; secret "c2VydmFsIHRlc3Qga2V5IG9ubHk="; };
	zone "example.test" { type primary; file "example.zone"; allow-update { key update; }; };
	zone "signed.example.test" { type primary; file "signed.zone"; dnssec-policy default; inline-signing yes; };
	zone "broken.example.test" { type primary; file "missing.zone"; };
	zone "0.1.10.in-addr.arpa" { type primary; file "reverse4.zone"; };
	zone "1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa" { type primary; file "reverse6.zone"; };
	END
    cat > "$zones/example.zone" <<-'END'
	$TTL 300
	@        SOA   ns1 hostmaster 2024010101 3600 900 604800 60
	         NS    ns1
	         NS    ns2
	         MX    10 mail
	         MX    20 backup.mail
	         TXT   "v=spf1 mx -all"
	         CAA   0 issue "ca.example.test"
	         HTTPS 1 . alpn="h2,h3" ipv4hint=10.1.0.20 ipv6hint=2001:db8:1::20
	ns1      A     10.1.0.20
	         AAAA  2001:db8:1::20
	ns2      A     10.1.0.21
	www      60 A  10.1.0.20
	         60 A  10.1.0.22
	         AAAA  2001:db8:1::20
	mail     A     10.1.0.25
	backup.mail A  10.1.0.26
	alias    CNAME cdn.edge
	cdn.edge CNAME node7.cdn
	node7.cdn 20 CNAME www
	outside  CNAME host.elsewhere.test.
	_sip._tcp      SRV 10 60 5060 www
	_sip._tcp      SRV 20 0 5061 backup.mail
	_ldap._tcp.dc._msdcs SRV 0 100 389 www
	_dns     SVCB  1 ns1 alpn=dot port=853
	svc      HTTPS 0 www.example.test.
	host     HINFO "PC" "Linux"
	phone    NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:info@example.test!" .
	fp       SSHFP 4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789
	_443._tcp.www TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
	loc      LOC   52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m
	sub      DNAME other.example.test.
	*.wild   A     10.1.0.99
	xn--bcher-kva A 10.1.0.31
	a\.dot   A     10.1.0.32
	odd\000\255label A 10.1.0.33
	END
    {
        local text number
        printf 'longtext TXT'
        for number in 1 2 3; do
            text=$(printf 'part %d of a long text record. ' "$number"{,,,,,,,})
            printf ' "%s"' "${text:0:250}"
        done
        echo
        for number in {1..24}; do echo "many A 10.2.0.$number"; done
        for number in {1..95}; do echo "crowd AAAA 2001:db8:2::$number"; done
        for number in {1..9}; do
            printf 'huge TXT "%s"\n' "$(printf "$number%.0s" {1..250})"
        done
    } >> "$zones/example.zone"
    cat > "$zones/signed.zone" <<-'END'
	$TTL 300
	@    SOA ns1.example.test. hostmaster.example.test. 1 3600 900 604800 60
	     NS  ns1.example.test.
	www  A   10.1.0.20
	END
    cat > "$zones/reverse4.zone" <<-'END'
	$TTL 300
	@    SOA ns1.example.test. hostmaster.example.test. 1 3600 900 604800 60
	     NS  ns1.example.test.
	20   PTR www.example.test.
	END
    cat > "$zones/reverse6.zone" <<-'END'
	$TTL 300
	@    SOA ns1.example.test. hostmaster.example.test. 1 3600 900 604800 60
	     NS  ns1.example.test.
	0.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 PTR server6.example.test.
	END
    start server named -g -n 1 -c "$zones/named.conf"
    wait_for says "$WORK/named.log" "zone example.test/IN: loaded"
    wait_for says "$WORK/named.log" "running$"
}
