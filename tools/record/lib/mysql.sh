# A MariaDB server for anna (password wonderland), with TLS for those who ask.
#
# start_mysql
# query OPTIONS… SQL

start_mysql() {
    source "$TOOLS/lib/certificates.sh"
    make_certificates
    mkdir data
    mariadb-install-db --no-defaults --auth-root-authentication-method=normal --skip-test-db \
        --user=root --datadir="$WORK/data" > install.log 2>&1
    start server mariadbd --no-defaults --user=root --datadir="$WORK/data" --socket="$WORK/mysql.sock" \
        --bind-address=10.1.0.20 --pid-file="$WORK/mysql.pid" --skip-name-resolve --skip-log-bin \
        --innodb-buffer-pool-size=8M --ssl-cert="$WORK/chain.pem" --ssl-key="$WORK/server.key" --ssl-ca="$WORK/ca.pem"
    wait_tcp server 3306
    server mariadb --no-defaults -S "$WORK/mysql.sock" -u root -e "
        create database shop; create table shop.fruit (id int, name varchar(20), price decimal(5,2), seen datetime);
        insert into shop.fruit values (1, 'apple', 0.50, '2024-01-02 03:04:05'), (2, 'pear', null, null);
        create user anna identified by 'wonderland'; grant all on shop.* to anna"
}

query() { client mariadb --no-defaults -h 10.1.0.20 -u anna "-p${PASSWORD:-wonderland}" "${@:1:$#-1}" -D shop -e "${@: -1}"; }
