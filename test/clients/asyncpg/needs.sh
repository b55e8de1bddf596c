/usr/bin/python3 -c 'import psycopg2, asyncpg' 2>/dev/null || { echo 'Python lacks psycopg2, asyncpg (python3-psycopg2, python3-asyncpg)'; exit 1; }
