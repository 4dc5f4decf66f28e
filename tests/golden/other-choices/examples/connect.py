"""Connects to every service of the research-agents stack, with the settings in .env.

    docker compose up -d --wait
    python3 examples/connect.py

Needs Python 3.9 or newer and only the standard library; PostgreSQL needs `pip install "psycopg[binary]"`.
Exits with 0 if everything that could be tried worked, and with 1 if something failed.
"""

import base64
import importlib.util
import json
import pathlib
import sys
import time
import urllib.error
import urllib.request
import uuid

DIRECTORY = pathlib.Path(__file__).resolve().parent.parent


def read_env(path):
    """Reads KEY=value lines. Generated values have no quotes; quotes that you added are removed."""
    values = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, separator, value = line.strip().partition("=")
        if separator and name and not name.startswith("#"):
            values[name] = value.strip().strip("'\"")
    return values


def installed(module):
    """Returns whether a module can be imported. Its parent packages are looked up first."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def call(method, url, body=None, headers=None):
    """Sends one HTTP request. Returns the parsed JSON, or None if the response is empty."""
    request = urllib.request.Request(url, method=method, headers={"content-type": "application/json", **(headers or {})})
    if body is not None:
        request.data = json.dumps(body).encode()
    with urllib.request.urlopen(request, timeout=15) as response:
        text = response.read().decode()
        return json.loads(text) if text else None


def postgres(env):
    """Connects as the application's role."""
    if not installed("psycopg"):
        return 'skipped: pip install "psycopg[binary]"'
    import psycopg

    with psycopg.connect(env["DATABASE_URL"], connect_timeout=15) as connection:
        user, database = connection.execute("SELECT current_user, current_database()").fetchone()
    return f"connected to {database} as {user}"


def qdrant(env):
    """Creates a collection, stores two points, searches, and deletes the collection."""
    url = env["QDRANT_URL"] + "/collections/connect_example_" + uuid.uuid4().hex
    key = {"api-key": env["QDRANT_API_KEY"]}
    call("PUT", url, {"vectors": {"size": 3, "distance": "Cosine"}}, key)
    try:
        points = [{"id": 1, "vector": [1, 0, 0], "payload": {"text": "east"}}, {"id": 2, "vector": [0, 1, 0], "payload": {"text": "north"}}]
        call("PUT", url + "/points?wait=true", {"points": points}, key)
        found = call("POST", url + "/points/query", {"query": [0.9, 0.1, 0], "limit": 1, "with_payload": True}, key)
        nearest = found["result"]["points"][0]["payload"]["text"]
        assert nearest == "east", nearest
        return "stored two points and found the nearest"
    finally:
        call("DELETE", url, None, key)


def main():
    path = DIRECTORY / ".env"
    if not path.exists():
        print(f"{path} is missing. It is never in git: restore it from your backup", file=sys.stderr)
        return 1
    env = read_env(path)
    failed = 0
    for check in [postgres, qdrant, ]:
        try:
            print(f"{check.__name__}: {check(env)}")
        except Exception as error:  # this is an example: report the failure and continue
            failed = 1
            print(f"{check.__name__}: FAILED: {error}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
