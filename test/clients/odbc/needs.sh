/usr/bin/python3 -c 'import psycopg2, pyodbc' 2>/dev/null || { echo 'Python lacks psycopg2, pyodbc (python3-psycopg2, python3-pyodbc)'; exit 1; }
odbcinst -q -d 2>/dev/null | grep -q PostgreSQL || { echo 'there is no driver (odbc-postgresql)'; exit 1; }
