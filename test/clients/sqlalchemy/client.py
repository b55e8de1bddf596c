"""SQLAlchemy, 1.4 over psycopg2 or 2 over psycopg 3: reflection, its expressions, the ORM, stream_results, and writes of many rows."""
import os
import sys

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, REAL
from sqlalchemy.orm import Session, registry

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))
from client import *

version(sa.__version__)
driver = 'psycopg2' if sa.__version__.startswith('1.') else 'psycopg'
# pgbouncer 1.18 knows no prepared statements in transaction mode
engine = sa.create_engine(f'postgresql+{driver}://', isolation_level='AUTOCOMMIT',
                          connect_args={'prepare_threshold': None} if driver == 'psycopg' and VIA != 'direct' else {})
inspector = sa.inspect(engine)
found = {'items': inspector.get_table_names(), 'by name': inspector.get_foreign_table_names()}
lists('yes' if 'items' in found['items'] else 'by get_foreign_table_names()' if 'items' in found['by name'] else 'no')
metadata = sa.MetaData()
# what has no primary key gets one here, for the ORM
tables = {name: sa.Table(name, metadata, sa.Column('id', sa.Text, primary_key=True), autoload_with=engine)
          for name in ('items', 'items_local', 'notes', 'notes_local', 'orders')}


def rows(statement, values=None):
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(statement, values or {})]


def distance(t):
    return t.c.embedding.op('<=>', return_type=sa.Float)(sa.cast(vector, ARRAY(REAL)))


def with_table(ask):
    return lambda name: ask(tables[name])


@check('reflection')
def _():
    equal(rows(sa.select(tables['items'].c.id).where(tables['items'].c.id == 'item-00007')), [('item-00007',)])
    there = {column['name']: (str(column['type']), column['nullable']) for column in inspector.get_columns('items')}
    equal(there['embedding'], ('ARRAY', True))
    equal(there['id'], ('TEXT', False))
    equal(list(there), ['id', 'embedding', 'title', 'category', 'year', 'price', 'tags', 'metadata', 'score'])
    assert isinstance(tables['items'].c.metadata.type, JSONB) and isinstance(tables['items'].c.tags.type, ARRAY)
    equal(inspector.get_pk_constraint('items')['constrained_columns'], [])
    equal(inspector.get_indexes('items'), [])


same('filter', with_table(lambda t: rows(sa.select(t.c.id, t.c.title, t.c.price).where(t.c.category == 'books', t.c.year >= 2015).order_by(t.c.id))))
same('knn', with_table(lambda t: rows(sa.select(t.c.id, t.c.title).order_by(distance(t)).limit(10))), 10)
same('by a JSON path', with_table(lambda t: rows(sa.select(t.c.id).where(t.c.metadata['shelf'].astext == 'shelf 3').order_by(t.c.id))))
same('kNN by text()', lambda t: rows(sa.text(f'SELECT id FROM {t} ORDER BY embedding <=> :v LIMIT 10'), {'v': vector}), 10)


def join(t):
    orders = tables['orders']
    return rows(sa.select(orders.c.number, t.c.title).join_from(orders, t, t.c.id == orders.c.item_id)
                .where(orders.c.customer == 'customer 1').order_by(orders.c.number))


same('join', with_table(join), 10)


def pages(t):
    read = [('',)]
    for _ in range(3):
        read += rows(sa.select(t.c.id, t.c.year).where(t.c.id > read[-1][0]).order_by(t.c.id).limit(100))
    return read


same('pages', with_table(pages), 301)
same('pages by offset', with_table(lambda t: [rows(sa.select(t.c.id).order_by(t.c.id).limit(100).offset(n)) for n in (0, 100, 200)]), 3)


@check('stream_results, stopped early')
def _():
    with question('cursor'), engine.connect().execution_options(isolation_level='READ COMMITTED', stream_results=True, max_row_buffer=100) as connection:
        read = [row[0] for row, _ in zip(connection.execute(sa.select(tables['items'].c.id).order_by('id')).yield_per(100), range(200))]
    equal(read, [row[0] for row in sql('SELECT id FROM items_local ORDER BY id LIMIT 200')])


same('count(*)', with_table(lambda t: rows(sa.select(sa.func.count()).select_from(t))))
same('count(1)', with_table(lambda t: rows(sa.select(sa.func.count(1)).where(t.c.category == 'maps'))))
same('distinct', with_table(lambda t: rows(sa.select(t.c.category).distinct().order_by(t.c.category))), 5)


@check('limit')
def _():
    t = tables['items']
    with question('limit'):
        read = rows(sa.select(*[c for c in t.c if c.name != 'score']).limit(1000))
    equal(len(read), 1000)
    equal(read, sql('SELECT * FROM items_local WHERE id = ANY (%s) ORDER BY array_position(%s, id)', *[[row[0] for row in read]] * 2))


def insert(t):
    with engine.begin() as connection:
        connection.execute(t.insert(), [note(i) for i in range(50)])


def update(t):
    with engine.begin() as connection:
        return connection.execute(t.update().where(t.c.year == 2003).values(title='changed')).rowcount


def delete(t):
    with engine.begin() as connection:
        return connection.execute(t.delete().where(t.c.id.in_(['note-001', 'note-002', 'note-030']))).rowcount


write('insert', with_table(insert))
write('update', with_table(update))
write('delete', with_table(delete))


class Note:
    pass


class NoteLocal:
    pass


mappers = registry(metadata=metadata)
mappers.map_imperatively(Note, tables['notes'], properties={'extra': tables['notes'].c.metadata})
mappers.map_imperatively(NoteLocal, tables['notes_local'], properties={'extra': tables['notes_local'].c.metadata})


def unit_of_work(kind):
    # all in one transaction, as the ORM flushes: it reads what it has written
    with Session(engine.execution_options(isolation_level='READ COMMITTED')) as session:
        for i in range(60, 65):
            made = kind()
            made.id, made.embedding, made.title, made.year = note(i).values()
            session.add(made)
        session.flush()
        session.get(kind, 'note-061').title = 'of the session'
        session.delete(session.get(kind, 'note-062'))
        session.get(kind, 'note-004').year = 1999
        session.flush()
        seen = session.query(kind).filter(kind.id.like('note-06%')).count()
        session.commit()
        return seen


write('the ORM', lambda t: unit_of_work({'notes': Note, 'notes_local': NoteLocal}[t]))


def rolled_back(t):
    with engine.connect().execution_options(isolation_level='READ COMMITTED') as connection:
        transaction = connection.begin()
        connection.execute(tables[t].delete())
        counted = connection.execute(sa.select(sa.func.count()).select_from(tables[t])).scalar()
        transaction.rollback()
        return counted


write('rollback', rolled_back)


def upsert():
    from sqlalchemy.dialects.postgresql import insert as with_conflict
    statement = with_conflict(tables['notes']).values(id='note-003', title='x')
    rows(statement.on_conflict_do_update(index_elements=['id'], set_={'title': 'x'}))


refused('INSERT ... ON CONFLICT DO UPDATE with a value of its own is refused, with advice', upsert, 'ON CONFLICT')
cancelled('cancel', lambda: rows(sa.select(tables['items'].c.id).order_by(distance(tables['items'])).limit(3)), cancel_from_aside,
          lambda: equal(rows(sa.text('SELECT 1')), [(1,)]))
done()
