/usr/bin/python3 -c 'import psycopg2' 2>/dev/null || { echo 'Python lacks psycopg2 (python3-psycopg2, gdal-bin)'; exit 1; }
command -v ogr2ogr >/dev/null || { echo 'there is no GDAL (gdal-bin)'; exit 1; }
