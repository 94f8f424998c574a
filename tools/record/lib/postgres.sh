# A PostgreSQL server for anna (password wonderland), with TLS.
#
# start_postgres METHOD     how passwords are asked for: password, md5 or scram-sha-256
# query HOST-OPTIONS SQL    psql as anna

start_postgres() {
    source "$TOOLS/lib/certificates.sh"
    make_certificates
    local programs data=$WORK/data
    programs=$(echo /usr/lib/postgresql/*/bin)
    cp server.key postgres.key
    chown postgres postgres.key
    chmod 600 postgres.key
    mkdir "$data"
    chown postgres "$data" "$WORK"
    echo wonderland > secret
    chmod a+r secret
    setpriv --reuid postgres --regid postgres --clear-groups "$programs/initdb" -D "$data" -U anna --pwfile=secret -A trust --no-sync > /dev/null
    [[ $1 != md5 ]] || echo "password_encryption = md5" >> "$data/postgresql.conf"
    printf 'local all all trust\nhost all all 0.0.0.0/0 %s\n' "$1" > "$data/pg_hba.conf"
    start server setpriv --reuid postgres --regid postgres --clear-groups "$programs/postgres" -D "$data" \
        -c listen_addresses=10.1.0.20 -c unix_socket_directories="$WORK" -c ssl=on -c fsync=off -c jit=off \
        -c ssl_cert_file="$WORK/chain.pem" -c ssl_key_file="$WORK/postgres.key"
    wait_tcp server 5432
    server psql -q -h "$WORK" -U anna -d postgres -c "alter user anna password 'wonderland'; create table fruit (id int, name text); insert into fruit values (1, 'apple'), (2, 'pear')"
}

query() { PGPASSWORD=${PASSWORD:-wonderland} client psql "host=10.1.0.20 user=anna dbname=postgres $1" -c "$2"; }
