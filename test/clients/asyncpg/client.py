"""asyncpg: everything is prepared and binary, cursors, copy_records_to_table, and cancelling by timeout."""
import asyncio
import os
import sys

import asyncpg

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))
from client import *

version(asyncpg.__version__)
lists('-')
loop = asyncio.new_event_loop()
# pgbouncer 1.18 knows no prepared statements in transaction mode, and hands asyncpg one
# backend to parse a statement and another to run it, unless they are in a transaction
connection = loop.run_until_complete(asyncpg.connect(**({} if VIA == 'direct' else {'statement_cache_size': 0})))


def wait(awaitable):
    return loop.run_until_complete(awaitable)


async def run(ask):
    if VIA == 'direct':
        return await ask()
    async with connection.transaction():
        return await ask()


def rows(text, *values, **more):
    return [tuple(row) for row in wait(run(lambda: connection.fetch(text, *values, **more)))]


def affected(text, *values):
    return int(wait(run(lambda: connection.execute(text, *values))).split()[-1])


@check('types')
def _():
    there = rows("SELECT * FROM items WHERE id = 'item-00007'")
    assert there[0][0] == 'item-00007' and isinstance(there[0][1][0], float) and len(there[0][6]) == 2
    equal(there, rows("SELECT *, NULL::float8 FROM items_local WHERE id = 'item-00007'"))


same('filter', lambda t: rows(f'SELECT id, title, price FROM {t} WHERE category = $1 AND year >= $2 ORDER BY id', 'books', 2015))
same('knn', lambda t: rows(f'SELECT id, title FROM {t} ORDER BY embedding <=> $1 LIMIT 10', vector), 10)


@check('kNN goes on when its plan is generic')
def _():
    async def search(t):
        statement = await connection.prepare(f'SELECT id FROM {t} WHERE year > $1 ORDER BY embedding <=> $2 LIMIT $3')
        return [[row['id'] for row in await statement.fetch(1990 + i, [value + i / 10 for value in vector], 5 + i)] for i in range(12)]
    async def both():
        async with connection.transaction():
            return await search('items'), await search('items_local')
    equal(*wait(both()))


@check('kNN with a vector as pgvector wants it, as text')
def _():
    equal(rows('SELECT id FROM items_vector ORDER BY embedding <=> $1::text::vector LIMIT 10', str(vector)),
          rows('SELECT id FROM items_local ORDER BY embedding <=> $1 LIMIT 10', vector))


same('join', lambda t: rows(f'SELECT o.number, i.title FROM orders o JOIN {t} i ON i.id = o.item_id WHERE o.customer = $1 ORDER BY o.number', 'customer 1'), 10)


def pages(t):
    read = [('',)]
    for _ in range(3):
        read += rows(f'SELECT id, year FROM {t} WHERE id > $1 ORDER BY id LIMIT 100', read[-1][0])
    return read


same('pages', pages, 301)


@check('a cursor that stops early')
def _():
    async def early():
        async with connection.transaction():
            cursor = await connection.cursor('SELECT id FROM items ORDER BY id')
            return await cursor.fetch(100) + await cursor.fetch(100)
    with question('cursor'):
        read = [tuple(row) for row in wait(early())]
    equal(read, rows('SELECT id FROM items_local ORDER BY id LIMIT 200'))


same('count(*)', lambda t: rows(f'SELECT count(*) FROM {t}'))
same('count(1)', lambda t: rows(f"SELECT count(1) FROM {t} WHERE category = 'maps'"))
same('distinct', lambda t: rows(f'SELECT DISTINCT category FROM {t} ORDER BY category'), 5)


@check('limit')
def _():
    with question('limit'):
        read = rows('SELECT id, embedding, title, category, year, price, tags, metadata FROM items LIMIT 1000')
    equal(len(read), 1000)
    equal(read, rows('SELECT * FROM items_local WHERE id = ANY ($1) ORDER BY array_position($1, id)', [row[0] for row in read]))


def insert(t):
    wait(run(lambda: connection.executemany(f'INSERT INTO {t} (id, embedding, title, year) VALUES ($1, $2, $3, $4)', [tuple(note(i).values()) for i in range(50)])))


write('insert', insert)
write('update', lambda t: affected(f'UPDATE {t} SET title = $1 WHERE year = $2', 'changed', 2003))
write('delete', lambda t: affected(f'DELETE FROM {t} WHERE id = ANY ($1)', ['note-001', 'note-002', 'note-030']))
write('copy', lambda t: wait(run(lambda: connection.copy_records_to_table(
    t, columns=('id', 'embedding', 'title'), records=[(f'note-{i:03}', vector, 'copied') for i in range(60, 63)]))))
refused('INSERT ... ON CONFLICT DO UPDATE with a value of its own is refused, with advice',
        lambda: rows("INSERT INTO notes (id, title) VALUES ('note-003', 'x') ON CONFLICT (id) DO UPDATE SET title = excluded.title || '!'"),
        'ON CONFLICT')
cancelled('cancel', lambda: rows('SELECT id FROM items ORDER BY embedding <=> $1 LIMIT 3', vector), cancel_from_aside,
          lambda: equal(rows('SELECT 1'), [(1,)]))


@check('a timeout, which cancels')
def _():
    sql('SELECT slow(30000)')
    try:
        rows('SELECT id FROM items ORDER BY embedding <=> $1 LIMIT 3', vector, timeout=0.3)
        raise AssertionError('there was no timeout')
    except asyncio.TimeoutError:
        equal(rows('SELECT 1'), [(1,)])
    finally:
        sql('SELECT slow(0)')


done()
