# ClickHouse's own engine, in this process (chDB). Takes one JSON document {"sql": ...} a line, and answers each with
# {"text": ...} or {"error": ...}. Ends, and closes what it has open, at the end of its input.
import json
import os
import sys
import types


class Absent(types.ModuleType):
    """chDB imports these at the start, and needs them only for formats that are not used here."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return object


for name in ("pandas", "pyarrow"):
    sys.modules[name] = Absent(name)
sys.path.insert(0, "/opt/stand-in/chdb")
# What the engine prints by itself must not end up among the answers. And it must not find the next request on its
# standard input: it takes what waits there for the data of an INSERT.
answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)
requests = os.fdopen(os.dup(0), encoding="utf-8")
nothing = os.open(os.devnull, os.O_RDONLY)
os.dup2(nothing, 0)
os.close(nothing)

from chdb import session  # noqa: E402

engine = session.Session(sys.argv[1] + "?config-file=" + sys.argv[2])
for line in requests:
    try:
        answer = {"text": str(engine.query(json.loads(line)["sql"], "TabSeparated"))}
    except Exception as error:
        answer = {"error": str(error)}
    answers.write(json.dumps(answer) + "\n")
    answers.flush()
engine.close()
