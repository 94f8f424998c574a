#!/usr/bin/env bash
# shows: MySQL in clear: logon, selects, an insert, an error, a prepared statement, a wrong password.
# programs: mariadb, mariadbd
# check: mysql.query; mysql.error_code == 1045; mysql.error_code == 1146
set -euo pipefail
source "$TOOLS/lib/mysql.sh"
start_mysql
capture

query --skip-ssl 'select * from fruit; insert into fruit values (3, "plum", 1.25, now()); select count(*) from fruit'
query --skip-ssl 'select * from vegetables' || true
query --skip-ssl 'prepare p from "select name from fruit where id = ?"; set @n = 2; execute p using @n'
PASSWORD=guess query --skip-ssl 'select 1' || true
