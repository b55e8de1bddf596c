"""psycopg2: its own parameters, server-side cursors, execute_values and COPY."""
import io
import os
import sys

import psycopg2
import psycopg2.extras

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))
from client import *

version(psycopg2.__version__.split()[0])
lists('-')
connection = psycopg2.connect()
connection.autocommit = True


def rows(text, values=None):
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        return cursor.fetchall()


def execute(text, values=None):
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        return cursor.rowcount


@check('types')
def _():
    there = rows("SELECT * FROM items WHERE id = 'item-00007'")
    assert there[0][0] == 'item-00007' and isinstance(there[0][1][0], float) and len(there[0][6]) == 2
    equal(there, rows("SELECT *, NULL FROM items_local WHERE id = 'item-00007'"))


same('filter', lambda t: rows(f'SELECT id, title, price FROM {t} WHERE category = %s AND year >= %s ORDER BY id', ('books', 2015)))
# a list becomes ARRAY[0.9, ...], which is numeric[]
same('knn', lambda t: rows(f'SELECT id, title FROM {t} ORDER BY embedding <=> %s LIMIT 10', (vector,)), 10)


@check('kNN with a vector as pgvector wants it')
def _():
    equal(rows('SELECT id FROM items_vector ORDER BY embedding <=> %s LIMIT 10', (str(vector),)),
          rows('SELECT id FROM items_local ORDER BY embedding <=> %s LIMIT 10', (vector,)))


same('join', lambda t: rows(f'SELECT o.number, i.title FROM orders o JOIN {t} i ON i.id = o.item_id WHERE o.customer = %s ORDER BY o.number', ('customer 1',)), 10)


def pages(t):
    read = [('',)]
    for _ in range(3):
        read += rows(f'SELECT id, year FROM {t} WHERE id > %s ORDER BY id LIMIT 100', (read[-1][0],))
    return read


same('pages', pages, 301)


@check('a cursor of the server that stops early')
def _():
    connection.autocommit = False
    with question('cursor'), connection.cursor('early') as cursor:
        cursor.itersize = 100
        cursor.execute('SELECT id FROM items ORDER BY id')
        read = [row for row, _ in zip(cursor, range(200))]
    connection.rollback()
    connection.autocommit = True
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
    with connection.cursor() as cursor:
        psycopg2.extras.execute_values(cursor, f'INSERT INTO {t} (id, embedding, title, year) VALUES %s',
                                       [tuple(note(i).values()) for i in range(50)])
        return cursor.rowcount


write('insert', insert)
write('update', lambda t: execute(f'UPDATE {t} SET title = %s WHERE year = %s', ('changed', 2003)))
write('delete', lambda t: execute(f'DELETE FROM {t} WHERE id = ANY (%s)', (['note-001', 'note-002', 'note-030'],)))


def copy(t):
    with connection.cursor() as cursor:
        cursor.copy_expert(f'COPY {t} (id, embedding, title) FROM STDIN', io.StringIO('copied\t{1,2,3,4,5,6,7,8}\tcopied\n'))
        return cursor.rowcount


write('copy', copy)
refused('INSERT ... ON CONFLICT DO UPDATE with a value of its own is refused, with advice',
        lambda: execute("INSERT INTO notes (id, title) VALUES ('note-003', 'x') ON CONFLICT (id) DO UPDATE SET title = excluded.title || '!'"),
        'ON CONFLICT')
cancelled('cancel', lambda: rows('SELECT id FROM items ORDER BY embedding <=> %s LIMIT 3', (vector,)), connection.cancel,
          lambda: equal(rows('SELECT 1'), [(1,)]))
done()
