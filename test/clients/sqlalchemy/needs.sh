/usr/bin/python3 -c 'import psycopg2, sqlalchemy' 2>/dev/null || { echo 'Python lacks psycopg2, sqlalchemy (python3-psycopg2, python3-sqlalchemy)'; exit 1; }
