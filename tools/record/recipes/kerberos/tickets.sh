#!/usr/bin/env bash
# shows: Kerberos over UDP and TCP: pre-authentication asked for and given, a service ticket, a wrong
#        password, an unknown user, an unknown service, and RC4 tickets.
# programs: kinit, kvno, krb5kdc
# check: kerberos.msg_type == 10; kerberos.msg_type == 11; kerberos.msg_type == 13; kerberos.error_code ==
#        24; kerberos.error_code == 6; kerberos.error_code == 25; tcp and kerberos
set -euo pipefail
cat > krb5.conf <<END
[libdefaults]
 default_realm = EXAMPLE.TEST
 dns_lookup_kdc = false
 rdns = false
 allow_weak_crypto = true
[realms]
 EXAMPLE.TEST = {
  kdc = 10.1.0.20
 }
END
cat > kdc.conf <<END
[kdcdefaults]
 kdc_ports = 88
 kdc_tcp_ports = 88
[realms]
 EXAMPLE.TEST = {
  database_name = $WORK/principal
  key_stash_file = $WORK/stash
  acl_file = $WORK/acl
  default_principal_flags = +preauth
  supported_enctypes = aes256-cts-hmac-sha1-96:normal arcfour-hmac:normal
 }
END
export KRB5_CONFIG=$WORK/krb5.conf KRB5_KDC_PROFILE=$WORK/kdc.conf KRB5CCNAME=FILE:$WORK/cache
kdb5_util create -s -r EXAMPLE.TEST -P master > create.log
for who in 'anna -pw wonderland' 'cifs/files.example.test -randkey' 'http/www.example.test -e arcfour-hmac:normal -pw service1' 'guest -pw guest -preauth'; do
    set -- $who
    if [[ $who = guest* ]]; then kadmin.local addprinc -pw guest -requires_preauth guest; else kadmin.local addprinc "${@:2}" "$1"; fi
done
start server krb5kdc -n
wait_udp server 88
capture

echo wonderland | client kinit anna
client kvno cifs/files.example.test
client kvno http/www.example.test
client kvno cifs/absent.example.test || true
echo guess | client kinit anna || true
echo x | client kinit nobody || true
echo guest | client kinit guest
sed -i 's/allow_weak/udp_preference_limit = 1\n allow_weak/' krb5.conf
echo wonderland | client kinit anna
