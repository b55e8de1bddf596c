"""pandas, over SQLAlchemy and psycopg2: read_sql_query, read_sql_table, chunks, and to_sql append."""
import os
import sys

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, REAL

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))
from client import *

version(pd.__version__)
lists('-')
engine = sa.create_engine('postgresql+psycopg2://')


def frame(text, **values):
    return pd.read_sql_query(sa.text(text), engine, params=values)


def rows(text, **values):
    read = frame(text, **values)
    return read.astype(object).where(read.notna(), None).values.tolist()


@check('types')
def _():
    there = frame('SELECT id, year, price, tags, metadata FROM items WHERE id < :id ORDER BY id', id='item-00050')
    here = frame('SELECT id, year, price, tags, metadata FROM items_local WHERE id < :id ORDER BY id', id='item-00050')
    equal([str(kind) for kind in there.dtypes], ['object', 'int64', 'float64', 'object', 'object'])
    assert len(there) == 50
    pd.testing.assert_frame_equal(there, here)
    equal(there.groupby('year').price.mean().tolist(), here.groupby('year').price.mean().tolist())


@check('read_sql_table')
def _():
    if not sa.__version__.startswith('1.'):
        # SQLAlchemy 2 reflects tables and views for it
        try:
            pd.read_sql_table('items', engine)
        except sa.exc.InvalidRequestError as error:
            assert 'Could not reflect' in str(error), error
            return
        raise AssertionError('it is read now: the document says otherwise')
    there = pd.read_sql_table('items', engine, columns=['id', 'title', 'year'])
    equal(sorted(there.values.tolist()), sorted(map(list, sql('SELECT id, title, year FROM items_local'))))


same('filter', lambda t: rows(f'SELECT id, title, price FROM {t} WHERE category = :c AND year >= :y ORDER BY id', c='books', y=2015))
same('knn', lambda t: rows(f'SELECT id, title FROM {t} ORDER BY embedding <=> :v LIMIT 10', v=vector), 10)
same('join', lambda t: rows(f'SELECT o.number, i.title FROM orders o JOIN {t} i ON i.id = o.item_id WHERE o.customer = :c ORDER BY o.number', c='customer 1'), 10)


def pages(t):
    read = [('',)]
    for _ in range(3):
        read += rows(f'SELECT id, year FROM {t} WHERE id > :last ORDER BY id LIMIT 100', last=read[-1][0])
    return read


same('pages', pages, 301)


@check('chunks, of which two are looked at')
def _():
    with question('cursor'), engine.connect().execution_options(stream_results=True, max_row_buffer=100) as connection:
        chunks = pd.read_sql_query(sa.text('SELECT id FROM items ORDER BY id'), connection, chunksize=100)
        read = next(chunks).id.tolist() + next(chunks).id.tolist()
    equal(read, [row[0] for row in sql('SELECT id FROM items_local ORDER BY id LIMIT 200')])


same('count(*)', lambda t: rows(f'SELECT count(*) FROM {t}'))
same('count(1)', lambda t: rows(f"SELECT count(1) FROM {t} WHERE category = 'maps'"))
same('distinct', lambda t: rows(f'SELECT DISTINCT category FROM {t} ORDER BY category'), 5)


@check('limit')
def _():
    with question('limit'):
        read = rows('SELECT id, embedding, title, category, year, price, tags, metadata FROM items LIMIT 1000')
    equal(len(read), 1000)
    equal([tuple(row) for row in read], sql('SELECT * FROM items_local WHERE id = ANY (%s) ORDER BY array_position(%s, id)', *[[row[0] for row in read]] * 2))


def insert(t):
    notes = pd.DataFrame([note(i) for i in range(50)])
    return notes.to_sql(t, engine, if_exists='append', index=False, dtype={'embedding': ARRAY(REAL)})


write('insert', insert)
write('insert, many rows a statement', lambda t: pd.DataFrame([note(i) for i in range(50, 70)]).to_sql(
    t, engine, if_exists='append', index=False, dtype={'embedding': ARRAY(REAL)}, method='multi'))


def changing(statement):
    def change(t):
        with engine.begin() as connection:
            return connection.execute(sa.text(statement.format(t))).rowcount
    return change


write('update', changing("UPDATE {} SET title = 'changed' WHERE year = 2003"))
write('delete', changing("DELETE FROM {} WHERE id IN ('note-001', 'note-002', 'note-030')"))
cancelled('cancel', lambda: rows('SELECT id FROM items ORDER BY embedding <=> :v LIMIT 3', v=vector), cancel_from_aside,
          lambda: equal(rows('SELECT 1'), [[1]]))
done()
