/usr/bin/python3 -c 'import psycopg2, sqlalchemy, pandas' 2>/dev/null || { echo 'Python lacks psycopg2, sqlalchemy, pandas (python3-psycopg2, python3-sqlalchemy, python3-pandas)'; exit 1; }
