"""What the clients in Python share: TAP, questions that are counted, answers that are compared."""
import contextlib
import decimal
import json
import os
import re
import sys
import threading
import time
import traceback

import psycopg2

# beside the client, and never through pgbouncer
_aside = psycopg2.connect(port=os.environ['DIRECT_PORT'])
_aside.autocommit = True
_lock = threading.Lock()
_failed = 0
_number = 0

VIA = os.environ['VIA']
vector = [0.9, -0.2, 0.4, 0.1, -0.7, 0.3, 0.5, -0.6]


def sql(text, *values):
    with _lock, _aside.cursor() as cursor:
        cursor.execute(text, values or None)
        return cursor.fetchall() if cursor.description else None


def version(text):
    print('# version:', text)


def lists(what):
    print('# lists:', what)


def check(name):
    """A decorator: runs the test at once, and says what came of it."""
    def run(test):
        global _failed, _number
        _number += 1
        try:
            test()
            print(f'ok {_number} - {name}')
        except Exception:
            _failed += 1
            print(f'not ok {_number} - {name}')
            print(re.sub('^', '# ', traceback.format_exc(), flags=re.M))
    return run


def equal(there, here):
    if there != here:
        raise AssertionError(f'{str(there)[:600]}\nis not\n{str(here)[:600]}')


@contextlib.contextmanager
def question(name):
    """What is asked in this block is counted under that name."""
    sql('SELECT question(%s)', name)
    try:
        yield
    finally:
        sql('SELECT question(NULL)')


def _plain(value):
    def other(x):
        return float(x) if isinstance(x, decimal.Decimal) else list(x)
    return json.loads(json.dumps(value, default=other))


def same(name, ask, least=1):
    """The same question to the foreign table and to its local copy, and the same answer."""
    @check(name)
    def _():
        with question(name):
            there = _plain(ask('items'))
        here = _plain(ask('items_local'))
        assert not isinstance(here, list) or len(here) >= least, f'only {len(here)} rows'
        equal(there, here)


def write(name, ask):
    """The same write to both; afterwards they are the same."""
    @check(name)
    def _():
        with question(name):
            there = ask('notes')
        equal(there, ask('notes_local'))
        same_notes()


def same_notes():
    equal(sql('SELECT id, embedding, title, year, metadata FROM notes ORDER BY id'),
          sql("""SELECT id, embedding, title, year, coalesce(metadata, '{}') || jsonb_strip_nulls(jsonb_build_object('title', title, 'year', year))
              FROM notes_local ORDER BY id"""))


def refused(name, ask, pattern):
    """An error says what to do instead."""
    @check(name)
    def _():
        try:
            ask()
        except Exception as error:
            assert re.search(pattern, str(error), re.S), str(error)
        else:
            raise AssertionError('it was not refused')


def cancelled(name, ask, cancel, after, running='items'):
    """While searches are slow: ask() is cancelled by cancel(), long before it would have ended."""
    @check(name)
    def _():
        sql('SELECT slow(30000)')
        ended = threading.Event()
        canceller = threading.Thread(target=lambda: _cancel_until(ended, running, cancel))
        try:
            began = time.monotonic()
            canceller.start()
            try:
                ask()
            except Exception as error:
                assert re.search('cancel', f'{error!r}', re.I), f'{error!r}'
            else:
                raise AssertionError('it was not cancelled')
            assert time.monotonic() - began < 15, 'it waited'
        finally:
            ended.set()
            canceller.join()
            sql('SELECT slow(0)')
        after()


def _cancel_until(ended, running, cancel):
    """A request to cancel that comes between two messages of a statement is lost, so that it is repeated."""
    while _await(running, ended) and not ended.is_set():
        cancel()
        ended.wait(1)


RUNNING = """FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND state = 'active' AND query ~ %s AND query !~ 'pg_stat_activity'"""


def _await(running, ended):
    for _ in range(500):
        if sql('SELECT pid ' + RUNNING, running):
            return True
        if ended.wait(0.01):
            break
    return False


def cancel_from_aside(running='items'):
    sql('SELECT pg_cancel_backend(pid) ' + RUNNING, running)


def note(i):
    return {'id': f'note-{i:03}', 'embedding': [(i + d) / 16 + 0.125 for d in range(8)], 'title': f'Note {i}', 'year': 2000 + i % 20}


def done():
    print(f'1..{_number}')
    sys.exit(1 if _failed else 0)
