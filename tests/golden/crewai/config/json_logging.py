"""Writes Python's log records as JSON, one object per line.

The field names are those of the OpenTelemetry Log Data Model
(https://opentelemetry.io/docs/specs/otel/logs/data-model/). Standard library only; `configure` needs PyYAML.
What looks like a secret is replaced before it is written (redaction.py).
"""

import datetime
import json
import logging
import logging.config
import logging.handlers
import math
import os
import pathlib
import re
import sys
import threading

from .redaction import REDACTED, is_secret, know_secrets, redact

# Fields that every record has. All others come from `extra=` and become attributes.
_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

# OpenTelemetry's severity numbers for Python's levels.
_SEVERITY = {10: 5, 20: 9, 30: 13, 40: 17, 50: 21}

# What OpenTelemetry's own instrumentation of `logging` adds to a record, where it is used.
_INJECTED = {"otelTraceID", "otelSpanID", "otelTraceSampled", "otelServiceName"}

# Some programs take these for the end of a line.
_LINE_ENDS = {"\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"}


class JsonFormatter(logging.Formatter):
    """Formats each record as one JSON object on a single line, whatever the message contains."""

    def __init__(self, resource=None):
        super().__init__()
        know_secrets(os.environ)
        self._resource = {**(resource or {}), **_resource_of(os.environ)}

    def format(self, record):
        try:
            return _line(self._entry(record))
        except Exception as error:  # whatever was attached: what happened is worth more
            return _line(self._head(record, {"logging.error": f"{type(error).__name__} in an attribute"}))

    def _head(self, record, attributes):
        moment = datetime.datetime.fromtimestamp(record.created, datetime.timezone.utc)
        return {
            "Timestamp": moment.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "SeverityText": record.levelname,
            "SeverityNumber": _SEVERITY.get(record.levelno, min(24, max(1, record.levelno // 10 * 4 + 1))),
            "Body": _shown(_message(record)),
            "InstrumentationScope": {"Name": record.name},
            "Attributes": attributes,
            "Resource": self._resource,
        }

    def _entry(self, record):
        extra = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        attributes = {key: value for key, value in extra.items() if key not in _INJECTED}
        trace = _trace(attributes.pop("trace_id", None), attributes.pop("span_id", None), extra)
        attributes["code.file.path"] = record.pathname
        attributes["code.line.number"] = record.lineno
        info = record.exc_info if isinstance(record.exc_info, tuple) or not record.exc_info else sys.exc_info()
        if info:
            attributes["exception.type"] = info[0].__name__ if info[0] else "unknown"
            attributes["exception.message"] = _text(info[1])
            attributes["exception.stacktrace"] = self._stacktrace(info)
        elif record.exc_text:  # all that is left of it after a socket
            attributes["exception.stacktrace"] = record.exc_text
        if record.stack_info:
            attributes["code.stacktrace"] = self.formatStack(record.stack_info)
        return {**self._head(record, _Plain().attributes(attributes)), **trace}

    def _stacktrace(self, info):
        try:
            return self.formatException(info)
        except Exception:  # an exception may fail to say what it is
            return f"{_text(getattr(info[0], '__name__', 'unknown'))} (its stack trace cannot be formatted)"


class RotatingFile(logging.handlers.RotatingFileHandler):
    """A file that is rotated by size, that only its owner can read, and whose directory is created.

    One process per file: processes that share one lose records when it is rotated.
    """

    def _open(self):
        os.makedirs(os.path.dirname(self.baseFilename), exist_ok=True)
        return open(self.baseFilename, self.mode, encoding=self.encoding, opener=_open_private)


def configure(directory=None):
    """Configures logging from config/logging.yaml and from these variables, of the process or else of `.env`:

    LOG_LEVEL    the root level, such as DEBUG
    LOG_LEVELS   levels of single loggers, such as httpx=WARNING,crewai=DEBUG
    LOG_FILE     a file that gets the records as well; it is rotated as config/logging.yaml says

    From then on, warnings and exceptions that nothing catches are records too, and the values of the secrets in
    `.env` are redacted wherever they appear. Raises ValueError for a level that does not exist.
    """
    import yaml

    folder = pathlib.Path(directory, "config") if directory else pathlib.Path(__file__).resolve().parent
    home = folder.parent
    settings = yaml.safe_load((folder / "logging.yaml").read_text(encoding="utf-8"))
    written = _read_env(home / ".env")
    values = {**written, **os.environ}
    if values.get("LOG_LEVEL"):
        settings["root"]["level"] = _level("LOG_LEVEL", values["LOG_LEVEL"])
    for item in filter(None, map(str.strip, values.get("LOG_LEVELS", "").split(","))):
        name, _, level = item.partition("=")
        logger = settings.setdefault("loggers", {}).setdefault(name.strip(), {})
        logger["level"] = _level("LOG_LEVELS", level)
    if values.get("LOG_FILE"):
        settings["handlers"]["file"]["filename"] = str(home / values["LOG_FILE"])
        if "file" not in settings["root"]["handlers"]:
            settings["root"]["handlers"].append("file")
    logging.config.dictConfig(settings)
    know_secrets(written)
    capture()


def capture():
    """Turns warnings and exceptions that nothing catches into log records, in every thread."""
    logging.captureWarnings(True)
    uncaught = logging.getLogger("uncaught")

    def of_program(kind, error, trace):
        # Ctrl-C is no failure, and at a prompt, the person wants to see the trace.
        if issubclass(kind, KeyboardInterrupt) or hasattr(sys, "ps1"):
            sys.__excepthook__(kind, error, trace)
        else:
            uncaught.critical("uncaught exception", exc_info=(kind, error, trace))

    def of_thread(args):
        if issubclass(args.exc_type, SystemExit):
            return
        name = args.thread.name if args.thread else "unknown"
        given = (args.exc_type, args.exc_value, args.exc_traceback)
        uncaught.critical("uncaught exception in thread %s", name, exc_info=given)

    def of_clean_up(args):
        given = (args.exc_type, args.exc_value, args.exc_traceback)
        owner = getattr(args.object, "__qualname__", type(args.object).__name__)
        uncaught.error("%s %s", args.err_msg or "exception ignored in", owner, exc_info=given)

    sys.excepthook = of_program
    threading.excepthook = of_thread
    sys.unraisablehook = of_clean_up


class _Plain:
    """Converts what is attached to one record into values that JSON can represent.

    An attached value must never cause a record to be lost, and no record may become endless: objects that lead to each
    other are cut where they meet again, and so is what is beyond `most` values or `deepest` levels.
    """

    most, deepest = 1000, 8

    def __init__(self):
        self._count = 0
        self._around = set()

    def attributes(self, values):
        return {redact(_text(key)): self._named(_text(key), value, 1) for key, value in values.items()}

    def _named(self, name, value, depth):
        # Asked by type(): isinstance() asks the value itself, which may be a proxy of something that is gone.
        if value is not None and type(value) is not bool and is_secret(name, value):
            return REDACTED
        return self._value(value, depth)

    def _value(self, value, depth):
        try:
            return self._plain(value, depth)
        except Exception:  # a proxy of something that is gone, a mapping that cannot be read
            return f"<{type(value).__name__}>"

    def _plain(self, value, depth):
        self._count += 1
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return int(value) if abs(value) < 1 << 63 else _text(value)
        if isinstance(value, float):
            return value if math.isfinite(value) else str(value)
        if isinstance(value, str):
            return _shown(value)
        is_collection = isinstance(value, (dict, list, tuple, set, frozenset))
        if not is_collection or depth > self.deepest or self._count > self.most:
            return _shown(_text(value)) if not is_collection else f"<{type(value).__name__} of {len(value)}>"
        if id(value) in self._around:
            return f"<{type(value).__name__} that holds this>"
        self._around.add(id(value))
        try:
            return self._collection(value, depth + 1)
        finally:
            self._around.discard(id(value))

    def _collection(self, value, depth):
        room = max(0, self.most - self._count)
        if isinstance(value, dict):
            pairs = list(value.items())
            shown = {redact(_text(key)): self._named(_text(key), item, depth) for key, item in pairs[:room]}
            return shown if len(pairs) <= room else {**shown, "...": f"{len(pairs) - room} more"}
        items = list(value)
        # A header, as many libraries hold it.
        if len(items) == 2 and isinstance(value, (list, tuple)) and isinstance(items[0], str) and is_secret(*items):
            return [items[0], REDACTED]
        shown = [self._value(item, depth) for item in items[:room]]
        return shown if len(items) <= room else [*shown, f"... {len(items) - room} more"]


# Longer texts are cut: a log is no place for them, and Docker splits lines at 16 KiB.
_LONGEST = 32768


def _shown(text):
    text = redact(text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text)} characters)"


def _text(value):
    try:
        return str(value)
    except Exception:  # whatever somebody else's __str__ does
        return f"<{type(value).__name__}>"


def _message(record):
    try:
        return record.getMessage()
    except Exception:  # the arguments do not fit the message: show both, and lose neither
        return f"{_text(record.msg)} {_text(record.args)}"


def _line(entry):
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    is_narrow = encoding.lower().replace("-", "") != "utf8"
    line = json.dumps(entry, ensure_ascii=is_narrow, allow_nan=False)
    try:
        line.encode()
    except UnicodeEncodeError:  # half a surrogate pair has no bytes in UTF-8
        line = json.dumps(entry, allow_nan=False)
    for character, escape in _LINE_ENDS.items():
        line = line.replace(character, escape)
    return line


def _trace(trace_id, span_id, extra):
    """The fields of the trace that a record belongs to; ids of two traces are never mixed.

    What the caller gave comes first, then what was injected where the record was made, then the active span.
    """
    active = _active_span()
    injected = (_injected(extra, "otelTraceID"), _injected(extra, "otelSpanID"), None)
    given = (trace_id, span_id, None)
    trace_id, span_id, flags = next((each for each in (given, injected) if each[0]), active)
    if active[0] == trace_id:
        span_id, flags = span_id or active[1], active[2]
    fields = {"TraceId": trace_id, "SpanId": span_id, "TraceFlags": flags}
    return {
        name: value if name == "TraceFlags" else redact(_text(value))
        for name, value in fields.items()
        if value is not None and (trace_id or name == "SpanId")
    }


def _active_span():
    """Trace ID, span ID and flags of OpenTelemetry's active span; none unless the program uses OpenTelemetry."""
    trace = sys.modules.get("opentelemetry.trace")
    try:
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            return format(context.trace_id, "032x"), format(context.span_id, "016x"), int(context.trace_flags)
    except Exception:  # it is not loaded, or half loaded
        pass
    return None, None, None


def _injected(extra, name):
    value = extra.get(name)
    return value if value not in (None, "", "0") else None


def _resource_of(environ):
    """What OpenTelemetry's own variables say of this program, such as deployment.environment.name=production."""
    items = (item.partition("=") for item in environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","))
    resource = {name.strip(): value.strip() for name, sign, value in items if sign and name.strip()}
    if environ.get("OTEL_SERVICE_NAME"):
        resource["service.name"] = environ["OTEL_SERVICE_NAME"]
    return resource


def _level(variable, text):
    level = text.strip().upper()
    if level not in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
        raise ValueError(f"{variable}: {text!r} is not a level; use DEBUG, INFO, WARNING, ERROR or CRITICAL")
    return level


def _read_env(path):
    """Reads KEY=value lines as Compose does, escapes in quotes aside; a file that is missing or unreadable has none."""
    try:
        lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError:
        return {}
    values = {}
    for line in map(str.strip, lines):
        name, sign, value = line.partition("=")
        name, value = name.removeprefix("export ").strip(), value.strip()
        if not sign or not name or name.startswith("#"):
            continue
        quote = value[:1]
        if quote in ("'", '"') and value.find(quote, 1) > 0:
            values[name] = value[1 : value.index(quote, 1)]
        else:
            values[name] = "" if quote == "#" else re.split(r"\s#", value, maxsplit=1)[0].rstrip()
    return values


def _open_private(path, flags):
    return os.open(path, flags, 0o600)
