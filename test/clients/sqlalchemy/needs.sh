/usr/bin/python3 -c 'import psycopg2, psycopg, sqlalchemy' 2>/dev/null || { echo 'Python lacks psycopg2, psycopg or sqlalchemy (python3-psycopg2, python3-psycopg, python3-sqlalchemy)'; exit 1; }
