"""psycopg 3: parameters that are bound by the server, statements that it prepares by itself,
cursors of the server, executemany in a pipeline, COPY, and its async connection."""
import asyncio
import os
import sys

import psycopg

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))
from client import *

version(psycopg.__version__)
lists('-')
# pgbouncer 1.18 knows no prepared statements in transaction mode
prepare = {'prepare_threshold': 5 if VIA == 'direct' else None}
connection = psycopg.connect(autocommit=True, **prepare)


def rows(text, values=None, **more):
    return connection.execute(text, values, **more).fetchall()


@check('types')
def _():
    there = rows("SELECT * FROM items WHERE id = 'item-00007'")
    assert there[0][0] == 'item-00007' and isinstance(there[0][1][0], float) and len(there[0][6]) == 2
    equal(there, rows("SELECT *, NULL FROM items_local WHERE id = 'item-00007'"))
    equal([column.name for column in connection.execute('SELECT * FROM items WHERE false').description],
          ['id', 'embedding', 'title', 'category', 'year', 'price', 'tags', 'metadata', 'score'])


@check('binary results')
def _():
    equal(rows("SELECT id, embedding, tags, price FROM items WHERE id = 'item-00007'", binary=True),
          rows("SELECT id, embedding, tags, price FROM items_local WHERE id = 'item-00007'", binary=True))


same('filter', lambda t: rows(f'SELECT id, title, price FROM {t} WHERE category = %s AND year >= %s ORDER BY id', ('books', 2015)))
# a list is bound as float8[]
same('knn', lambda t: rows(f'SELECT id, title FROM {t} ORDER BY embedding <=> %s LIMIT 10', (vector,)), 10)


@check('kNN goes on when it is prepared, after five times')
def _():
    prepared = []
    for i in range(12):
        other = [value + i / 10 for value in vector]
        there = rows('SELECT id FROM items WHERE year > %s ORDER BY embedding <=> %s LIMIT 7', (1990 + i, other))
        equal(there, rows('SELECT id FROM items_local WHERE year > %s ORDER BY embedding <=> %s LIMIT 7', (1990 + i, other)))
        prepared.append(rows("SELECT coalesce(sum(generic_plans), 0) FROM pg_prepared_statements WHERE statement ~ 'FROM items WHERE year'")[0][0])
    assert VIA != 'direct' or prepared[-1] > 0, f'generic plans: {prepared}'


@check('which costs one request, too')
def _():
    with question('prepared'):
        rows('SELECT id FROM items WHERE year > %s ORDER BY embedding <=> %s LIMIT 7', (2000, vector))
    equal(sql("SELECT DISTINCT requests FROM asked WHERE client = 'psycopg' AND question = 'prepared'"), [(1,)])


@check('kNN with a vector as pgvector wants it')
def _():
    here = rows('SELECT id FROM items_local ORDER BY embedding <=> %s LIMIT 10', (vector,))
    equal(rows('SELECT id FROM items_vector ORDER BY embedding <=> %s LIMIT 10', (str(vector),)), here)
    equal(rows('SELECT id FROM items_vector ORDER BY embedding <=> %s::vector LIMIT 10', (vector,)), here)


same('join', lambda t: rows(f'SELECT o.number, i.title FROM orders o JOIN {t} i ON i.id = o.item_id WHERE o.customer = %s ORDER BY o.number', ('customer 1',)), 10)


def pages(t):
    read = [('',)]
    for _ in range(3):
        read += rows(f'SELECT id, year FROM {t} WHERE id > %s ORDER BY id LIMIT 100', (read[-1][0],))
    return read


same('pages', pages, 301)


@check('a cursor of the server that stops early')
def _():
    with question('cursor'), connection.transaction(), connection.cursor('early') as cursor:
        cursor.itersize = 100
        cursor.execute('SELECT id FROM items ORDER BY id')
        read = [row for row, _ in zip(cursor, range(200))]
    equal(read, rows('SELECT id FROM items_local ORDER BY id LIMIT 200'))


same('count(*)', lambda t: rows(f'SELECT count(*) FROM {t}'))
same('count(1)', lambda t: rows(f"SELECT count(1) FROM {t} WHERE category = 'maps'"))
same('distinct', lambda t: rows(f'SELECT DISTINCT category FROM {t} ORDER BY category'), 5)


@check('limit')
def _():
    with question('limit'):
        read = rows('SELECT id, embedding, title, category, year, price, tags, metadata FROM items LIMIT 1000')
    equal(len(read), 1000)
    equal(read, rows('SELECT * FROM items_local WHERE id = ANY (%s) ORDER BY array_position(%s, id)', ([row[0] for row in read],) * 2))


def insert(t):
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(f'INSERT INTO {t} (id, embedding, title, year) VALUES (%s, %s, %s, %s)', [tuple(note(i).values()) for i in range(50)])
        return cursor.rowcount


write('insert', insert)
write('update', lambda t: connection.execute(f'UPDATE {t} SET title = %s WHERE year = %s', ('changed', 2003)).rowcount)
write('delete', lambda t: connection.execute(f'DELETE FROM {t} WHERE id = ANY (%s)', (['note-001', 'note-002', 'note-030'],)).rowcount)


def copy(t):
    with connection.cursor() as cursor:
        with cursor.copy(f'COPY {t} (id, embedding, title) FROM STDIN') as into:
            for i in range(60, 63):
                into.write_row((f'note-{i:03}', vector, None))
        return cursor.rowcount


write('copy', copy)
refused('INSERT ... ON CONFLICT DO UPDATE with a value of its own is refused, with advice',
        lambda: rows("INSERT INTO notes (id, title) VALUES ('note-003', 'x') ON CONFLICT (id) DO UPDATE SET title = excluded.title || '!'"),
        'ON CONFLICT')


@check('an async connection')
def _():
    async def search():
        async with await psycopg.AsyncConnection.connect(autocommit=True, **prepare) as other:
            cursor = await other.execute('SELECT id FROM items ORDER BY embedding <=> %s LIMIT 10', (vector,))
            return await cursor.fetchall()
    equal(asyncio.run(search()), rows('SELECT id FROM items_local ORDER BY embedding <=> %s LIMIT 10', (vector,)))


cancelled('cancel', lambda: rows('SELECT id FROM items ORDER BY embedding <=> %s LIMIT 3', (vector,)), connection.cancel,
          lambda: equal(rows('SELECT 1'), [(1,)]))
done()
