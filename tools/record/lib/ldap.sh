# An OpenLDAP server for dc=example,dc=test with a handful of people.
#
# start_ldap
# search OPTIONS…    ldapsearch as the manager

start_ldap() {
    source "$TOOLS/lib/certificates.sh"
    make_certificates
    mkdir directory
    cat > slapd.conf <<-END
	include /etc/ldap/schema/core.schema
	include /etc/ldap/schema/cosine.schema
	include /etc/ldap/schema/inetorgperson.schema
	modulepath /usr/lib/ldap
	moduleload back_mdb
	pidfile $WORK/slapd.pid
	TLSCertificateFile $WORK/chain.pem
	TLSCertificateKeyFile $WORK/server.key
	TLSCACertificateFile $WORK/ca.pem
	database mdb
	maxsize 1048576
	suffix "dc=example,dc=test"
	rootdn "cn=manager,dc=example,dc=test"
	rootpw wonderland
	directory $WORK/directory
	END
    {
        printf 'dn: dc=example,dc=test\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n\n'
        for person in anna bo carla dora emil; do
            printf 'dn: cn=%s,dc=example,dc=test\nobjectClass: inetOrgPerson\ncn: %s\nsn: Example\nmail: %s@example.test\nuserPassword: secret-%s\n\n' $person{,,,}
        done
    } > people.ldif
    slapadd -f slapd.conf -l people.ldif
    start server slapd -d 0 -f slapd.conf -h "ldap://10.1.0.20 ldaps://10.1.0.20"
    wait_tcp server 389
    echo "TLS_CACERT $WORK/ca.pem" > ldaprc
    export LDAPCONF=$WORK/ldaprc
}

search() { client ldapsearch -H ldap://server.example.test -x -b dc=example,dc=test "$@"; }
