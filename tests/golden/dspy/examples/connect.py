"""Connects to every service of the dspy stack, with the settings in .env.

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


def langfuse(env):
    """Sends a trace with the OpenTelemetry protocol and waits until it can be read back."""
    pair = env["LANGFUSE_PUBLIC_KEY"] + ":" + env["LANGFUSE_SECRET_KEY"]
    headers = {"authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    host = env["LANGFUSE_HOST"]
    version = call("GET", host + "/api/public/health")["version"]
    project = call("GET", host + "/api/public/projects", None, headers)["data"][0]["name"]
    trace, span, now = uuid.uuid4().hex, uuid.uuid4().hex[:16], time.time_ns()
    payload = {"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [{"scope": {"name": "connect"}, "spans": [
        {"traceId": trace, "spanId": span, "name": "connect-example", "kind": 1, "startTimeUnixNano": str(now - 1_000_000), "endTimeUnixNano": str(now), "attributes": []}]}]}]}
    # Status 200 only means that the trace was queued.
    call("POST", host + "/api/public/otel/v1/traces", payload, {**headers, "x-langfuse-ingestion-version": "4"})
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600))
    for _ in range(60):
        seen = call("GET", f"{host}/api/public/v2/observations?traceId={trace}&fields=core,basic&fromStartTime={since}", None, headers)
        if seen["data"]:
            return f"version {version}, project {project}: a trace was sent and read back"
        time.sleep(1)
    raise RuntimeError("the trace was accepted but did not arrive within 60 seconds: see `docker compose logs langfuse-worker`")


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


def framework(env):
    """DSPy itself: https://dspy.ai"""
    if not installed("dspy"):
        return "skipped: pip install dspy"
    import dspy

    lm = dspy.LM("openrouter/openai/gpt-4o-mini", api_key=env.get("OPENROUTER_API_KEY") or "not-set")
    dspy.configure(lm=lm)
    print("DSPy program:", dspy.Predict("question -> answer"))
    return "works"


def main():
    path = DIRECTORY / ".env"
    if not path.exists():
        print(f"{path} is missing. It is never in git: restore it from your backup", file=sys.stderr)
        return 1
    env = read_env(path)
    failed = 0
    for check in [langfuse, postgres, qdrant, framework]:
        try:
            print(f"{check.__name__}: {check(env)}")
        except Exception as error:  # this is an example: report the failure and continue
            failed = 1
            print(f"{check.__name__}: FAILED: {error}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
