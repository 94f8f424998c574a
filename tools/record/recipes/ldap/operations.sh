#!/usr/bin/env bash
# shows: LDAP in clear: simple bind, anonymous bind, a wrong password, searches with filters, add, modify,
#        rename, compare, delete, paged results.
# programs: ldapsearch, ldapmodify, ldapcompare, slapd
# check: ldap.bindRequest_element; ldap.resultCode == 49; ldap.addRequest_element;
#        ldap.modDNRequest_element; ldap.compareRequest_element; ldap.delRequest
set -euo pipefail
source "$TOOLS/lib/ldap.sh"
start_ldap
capture

manager=(-D cn=manager,dc=example,dc=test -w wonderland)
search '(mail=a*)' cn mail
search "${manager[@]}" '(&(objectClass=inetOrgPerson)(|(cn=bo)(sn=exam*))(!(cn=emil)))' mail
search "${manager[@]}" -E pr=2/noprompt '(objectClass=*)' 1.1
search -D cn=anna,dc=example,dc=test -w guess || true
client ldapmodify -H ldap://10.1.0.20 -x "${manager[@]}" <<END
dn: cn=fay,dc=example,dc=test
changetype: add
objectClass: inetOrgPerson
cn: fay
sn: Example

dn: cn=fay,dc=example,dc=test
changetype: modify
replace: mail
mail: fay@example.test

dn: cn=fay,dc=example,dc=test
changetype: modrdn
newrdn: cn=faye
deleteoldrdn: 1

dn: cn=faye,dc=example,dc=test
changetype: delete
END
client ldapcompare -H ldap://10.1.0.20 -x "${manager[@]}" cn=bo,dc=example,dc=test sn:Example || true
