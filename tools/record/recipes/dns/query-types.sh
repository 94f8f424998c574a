#!/usr/bin/env bash
# shows: One query of each common type over UDP, each answered: A, AAAA, MX, TXT, SRV, NS, SOA, CAA, HTTPS,
#        SVCB, PTR, NAPTR, SSHFP, TLSA, LOC, HINFO, DNAME and ANY.
# programs: dig, named
# check: dns.qry.type == 65; dns.srv.name; dns.caa.value; dns.qry.type == 64; dns.naptr.service;
#        dns.resp.type == 39
set -euo pipefail
source "$TOOLS/lib/named.sh"
start_named
capture

ask() { client dig @10.1.0.20 +tries=1 +nocookie "$@"; }
ask www.example.test A
ask www.example.test AAAA
ask example.test MX
ask example.test TXT
ask _sip._tcp.example.test SRV
ask example.test NS
ask example.test SOA
ask example.test CAA
ask example.test HTTPS
ask svc.example.test HTTPS
ask _dns.example.test SVCB
ask -x 10.1.0.20
ask -x 2001:db8:1::20
ask phone.example.test NAPTR
ask fp.example.test SSHFP
ask _443._tcp.www.example.test TLSA
ask loc.example.test LOC
ask host.example.test HINFO
ask deep.sub.example.test A
ask +notcp example.test ANY
