"""GDAL: ogrinfo and ogr2ogr, whose PostgreSQL driver lists tables, filters, pages by cursors,
counts, and appends.  What it does not do itself it sends as SQL (ogrinfo -sql)."""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))
from client import *

SOURCE = f"PG:host=127.0.0.1 port={os.environ['PGPORT']} dbname={os.environ['PGDATABASE']} user={os.environ['PGUSER']}"
as_text = '{' + ','.join(map(str, vector)) + '}'


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    if done.returncode or 'ERROR' in done.stderr:
        raise RuntimeError(done.stderr or done.stdout)
    return done.stdout


def features(*arguments, source=SOURCE):
    """The fields of what ogr2ogr brings of a layer or a statement, as GeoJSON."""
    with tempfile.TemporaryDirectory() as folder:
        run('ogr2ogr', '-f', 'GeoJSON', folder + '/f.json', source, *arguments)
        return [feature['properties'] for feature in json.load(open(folder + '/f.json'))['features']]


def query(text):
    return features('-sql', text)


def execute(text):
    run('ogrinfo', '-q', SOURCE, '-sql', text)


version(re.search(r'GDAL (\S+?),', run('ogrinfo', '--version')).group(1))
layers = re.findall(r'^\d+: (\w+)', run('ogrinfo', SOURCE), re.M)
lists('yes' if 'items' in layers else 'no')


@check('a layer\'s fields')
def _():
    summary = run('ogrinfo', '-so', SOURCE, 'items')
    equal(re.search(r'Feature Count: (\d+)', summary).group(1), '3000')
    fields = dict(re.findall(r'^(\w+): (\w+)(?:\(\w+\))? \(', summary, re.M))
    equal(fields, {'id': 'String', 'embedding': 'RealList', 'title': 'String', 'category': 'String', 'year': 'Integer', 'price': 'Real',
                   'tags': 'StringList', 'metadata': 'String', 'score': 'Real'})


@check('types')
def _():
    there = features('items', '-where', "id = 'item-00007'")
    equal((type(there[0]['year']), len(there[0]['embedding']), there[0]['tags']), (int, 8, ['tag1', 'tag6']))
    equal([{**row, 'score': None} for row in there], [{**row, 'score': None} for row in features('items_local', '-where', "id = 'item-00007'")])


same('filter', lambda t: sorted((row['id'], row['title'], row['price']) for row in features(t, '-select', 'id,title,price', '-where', "category = 'books' AND year >= 2015")))
same('knn', lambda t: query(f"SELECT id, title FROM {t} ORDER BY embedding <=> '{as_text}' LIMIT 10"), 10)
same('join', lambda t: query(f"SELECT o.number, i.title FROM orders o JOIN {t} i ON i.id = o.item_id WHERE o.customer = 'customer 1' ORDER BY o.number"), 10)


def pages(t):
    read = [{'id': ''}]
    for _ in range(3):
        read += query(f"SELECT id, year FROM {t} WHERE id > '{read[-1]['id']}' ORDER BY id LIMIT 100")
    return read


same('pages', pages, 301)


@check('its own cursor, stopped early by -limit')
def _():
    with question('cursor'):
        read = features('items', '-select', 'id', '-limit', '200')
    equal(len({row['id'] for row in read}), 200)


@check('all of a layer')
def _():
    read = {row['id']: row for row in features('items', '-select', 'id,year,price')}
    equal(read, {row['id']: row for row in features('items_local', '-select', 'id,year,price')})
    equal(len(read), 3000)


same('count(*)', lambda t: re.findall(r'Feature Count: (\d+)', run('ogrinfo', '-so', SOURCE, t)))
same('count(1)', lambda t: query(f"SELECT count(1) FROM {t} WHERE category = 'maps'"))
same('distinct', lambda t: query(f'SELECT DISTINCT category FROM {t} ORDER BY category'), 5)


@check('limit')
def _():
    with question('limit'):
        read = query('SELECT id, embedding, title, category, year, price, tags, metadata FROM items LIMIT 1000')
    equal(len(read), 1000)
    ids = ','.join(row['id'] for row in read)
    equal(read, query(f"SELECT * FROM items_local WHERE id = ANY ('{{{ids}}}') ORDER BY array_position('{{{ids}}}', id)"))


def insert(t):
    with tempfile.NamedTemporaryFile('w', suffix='.json') as file:
        json.dump({'type': 'FeatureCollection', 'features': [{'type': 'Feature', 'geometry': None, 'properties': note(i)} for i in range(50)]}, file)
        file.flush()
        run('ogr2ogr', '-append', '-f', 'PostgreSQL', SOURCE, file.name, '-nln', t)


write('insert', insert)
write('update', lambda t: execute(f"UPDATE {t} SET title = 'changed' WHERE year = 2003"))
write('delete', lambda t: execute(f"DELETE FROM {t} WHERE id IN ('note-001', 'note-002', 'note-030')"))
refused('INSERT ... ON CONFLICT DO UPDATE with a value of its own is refused, with advice',
        lambda: execute("INSERT INTO notes (id, title) VALUES ('note-003', 'x') ON CONFLICT (id) DO UPDATE SET title = excluded.title || '!'"),
        'ON CONFLICT')
cancelled('cancel', lambda: execute(f"SELECT id FROM items ORDER BY embedding <=> '{as_text}' LIMIT 3"), lambda: cancel_from_aside('FETCH'),
          lambda: equal(query('SELECT 1 AS one'), [{'one': 1}]), running='FETCH')
done()
