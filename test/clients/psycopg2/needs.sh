/usr/bin/python3 -c 'import psycopg2' 2>/dev/null || { echo 'Python lacks psycopg2 (python3-psycopg2)'; exit 1; }
