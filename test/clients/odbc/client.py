"""ODBC: psqlodbc by pyodbc.  Catalog functions, parameters that arrive as text, arrays as
text, and UseDeclareFetch, which reads by a cursor."""
import json
import os
import sys

import pyodbc

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))
from client import *

DRIVER = next(name for name in pyodbc.drivers() if 'Unicode' in name)
pyodbc.pooling = False
as_text = '{' + ','.join(map(str, vector)) + '}'


def connect(**options):
    parts = {'DRIVER': '{' + DRIVER + '}', 'SERVER': '127.0.0.1', 'PORT': os.environ['PGPORT'], 'DATABASE': os.environ['PGDATABASE'],
             'UID': os.environ['PGUSER'], 'BoolsAsChar': 0, 'MaxVarcharSize': 8000, 'MaxLongVarcharSize': 100000, **options}
    # pgbouncer 1.18 knows no prepared statements in transaction mode
    if VIA != 'direct':
        parts['UseServerSidePrepare'] = 0
    return pyodbc.connect(';'.join(f'{key}={value}' for key, value in parts.items()), autocommit=options.pop('autocommit', True))


connection = connect()
version(connection.getinfo(pyodbc.SQL_DRIVER_VER))
kinds = {row.table_name: row.table_type for row in connection.cursor().tables(schema='public')}
lists('yes' if kinds.get('items') == 'TABLE' else f'as {kinds["items"]}' if 'items' in kinds else 'no')


def rows(text, *values):
    return [tuple(row) for row in connection.cursor().execute(text, *values).fetchall()]


def execute(text, *values):
    return connection.cursor().execute(text, *values).rowcount


@check('catalog functions')
def _():
    columns = [(row.column_name, row.type_name, row.nullable) for row in connection.cursor().columns(table='items')]
    equal(columns[:5], [('id', 'text', 0), ('embedding', '_float4', 1), ('title', 'text', 1), ('category', 'text', 1), ('year', 'int4', 1)])
    equal(len(columns), 9)
    equal(list(connection.cursor().primaryKeys('items')), [])
    equal([row.column_name for row in connection.cursor().statistics('items') if row.column_name], [])


@check('types')
def _():
    there = rows("SELECT * FROM items WHERE id = 'item-00007'")
    assert there[0][1].startswith('{0.62') and isinstance(there[0][4], int) and json.loads(there[0][7])['shelf']
    equal(there, rows("SELECT *, NULL::float8 FROM items_local WHERE id = 'item-00007'"))


same('filter', lambda t: rows(f'SELECT id, title, price FROM {t} WHERE category = ? AND year >= ? ORDER BY id', 'books', 2015))
same('knn', lambda t: rows(f'SELECT id, title FROM {t} ORDER BY embedding <=> ?::real[] LIMIT 10', as_text), 10)


@check('kNN with the same statement again and again')
def _():
    cursor = connection.cursor()
    for table in ('items', 'items_local'):
        answers = []
        for i in range(10):
            other = '{' + ','.join(str(value + i / 10) for value in vector) + '}'
            answers.append([row[0] for row in cursor.execute(f'SELECT id FROM {table} WHERE year > ? ORDER BY embedding <=> ?::real[] LIMIT 5', 1990 + i, other)])
        first = answers if table == 'items' else first
    equal(first, answers)


@check('kNN with a vector as pgvector wants it')
def _():
    equal(rows('SELECT id FROM items_vector ORDER BY embedding <=> ?::vector LIMIT 10', str(vector)),
          rows('SELECT id FROM items_local ORDER BY embedding <=> ?::real[] LIMIT 10', as_text))


same('join', lambda t: rows(f'SELECT o.number, i.title FROM orders o JOIN {t} i ON i.id = o.item_id WHERE o.customer = ? ORDER BY o.number', 'customer 1'), 10)


def pages(t):
    read = [('',)]
    for _ in range(3):
        read += rows(f'SELECT id, year FROM {t} WHERE id > ? ORDER BY id LIMIT 100', read[-1][0])
    return read


same('pages', pages, 301)


@check('UseDeclareFetch, stopped early in a transaction')
def _():
    fetching = connect(UseDeclareFetch=1, Fetch=100)
    fetching.autocommit = False
    with question('cursor'):
        read = [tuple(row) for row in fetching.cursor().execute('SELECT id FROM items ORDER BY id').fetchmany(200)]
        fetching.rollback()
    fetching.close()
    equal(read, rows('SELECT id FROM items_local ORDER BY id LIMIT 200'))


@check('UseDeclareFetch, all rows, without one')
def _():
    fetching = connect(UseDeclareFetch=1, Fetch=100)
    with question('hold'):
        read = [tuple(row) for row in fetching.cursor().execute('SELECT id, year FROM items ORDER BY id').fetchall()]
    fetching.close()
    equal(read, rows('SELECT id, year FROM items_local ORDER BY id'))


same('count(*)', lambda t: rows(f'SELECT count(*) FROM {t}'))
same('count(1)', lambda t: rows(f"SELECT count(1) FROM {t} WHERE category = 'maps'"))
same('distinct', lambda t: rows(f'SELECT DISTINCT category FROM {t} ORDER BY category'), 5)


@check('limit')
def _():
    with question('limit'):
        read = rows('SELECT id, embedding, title, category, year, price, tags, metadata FROM items LIMIT 1000')
    equal(len(read), 1000)
    equal(read, rows('SELECT * FROM items_local WHERE id = ANY (?::text[]) ORDER BY array_position(?::text[], id)', *['{' + ','.join(row[0] for row in read) + '}'] * 2))


def insert(t):
    connection.autocommit = False
    connection.cursor().executemany(f'INSERT INTO {t} (id, embedding, title, year) VALUES (?, ?::real[], ?, ?)',
                                    [(n['id'], '{' + ','.join(map(str, n['embedding'])) + '}', n['title'], n['year']) for n in map(note, range(50))])
    connection.commit()
    connection.autocommit = True


write('insert', insert)
write('update', lambda t: execute(f'UPDATE {t} SET title = ? WHERE year = ?', 'changed', 2003))
write('delete', lambda t: execute(f"DELETE FROM {t} WHERE id IN (?, ?, ?)", 'note-001', 'note-002', 'note-030'))
refused('INSERT ... ON CONFLICT DO UPDATE with a value of its own is refused, with advice',
        lambda: rows("INSERT INTO notes (id, title) VALUES ('note-003', 'x') ON CONFLICT (id) DO UPDATE SET title = excluded.title || '!'"),
        'ON CONFLICT')
running = connection.cursor()
cancelled('cancel', lambda: running.execute('SELECT id FROM items ORDER BY embedding <=> ?::real[] LIMIT 3', as_text), running.cancel,
          lambda: equal(rows('SELECT 1'), [(1,)]))
done()
