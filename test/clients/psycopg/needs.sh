/usr/bin/python3 -c 'import psycopg2, psycopg' 2>/dev/null || { echo 'Python lacks psycopg2, psycopg (python3-psycopg2, python3-psycopg)'; exit 1; }
