#!/usr/bin/env python3
# complete.py TEXT: types it into a psql, then Tab twice, and prints what psql has written.
import os
import pty
import re
import select
import signal
import sys
import time

pid, terminal = pty.fork()
if pid == 0:
    os.environ.update(TERM="dumb", PSQL_HISTORY="/dev/null", PAGER="cat", INPUTRC="/dev/null")
    os.execvp("psql", ["psql", "-Xq"])


def read_until(pattern, seconds):
    text = ""
    end = time.monotonic() + seconds
    while not re.search(pattern, text) and time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                text += os.read(terminal, 65536).decode().replace("\a", "")
            except OSError:
                break
    return text


read_until("[=-]# $", 10)
os.write(terminal, sys.argv[1].encode() + b"\t\t")
# the terminal's echo has what was typed, then what Tab adds
print(read_until(re.escape(sys.argv[1]) + r"\w", 10).replace("\r", ""))
os.kill(pid, signal.SIGTERM)
os.close(terminal)
