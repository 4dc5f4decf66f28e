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
import sys
import threading

from config.redaction import REDACTED, is_secret, know_secrets, redact

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
        self._resource = {**(resource or {}), **_resource_of(os.environ)}

    def format(self, record):
        moment = datetime.datetime.fromtimestamp(record.created, datetime.timezone.utc)
        extra = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        attributes = {key: value for key, value in extra.items() if key not in _INJECTED}
        attributes["code.file.path"] = record.pathname
        attributes["code.line.number"] = record.lineno
        trace_id, span_id, flags = _active_span()
        # An id that the caller gave comes first; one that was injected was taken where the record was made.
        trace_id = attributes.pop("trace_id", None) or _injected(extra, "otelTraceID") or trace_id
        span_id = attributes.pop("span_id", None) or _injected(extra, "otelSpanID") or span_id
        if record.exc_info:
            kind, error = record.exc_info[0], record.exc_info[1]
            attributes["exception.type"] = kind.__name__ if kind else "unknown"
            attributes["exception.message"] = _text(error)
            attributes["exception.stacktrace"] = self._stacktrace(record)
        if record.stack_info:
            attributes["code.stacktrace"] = self.formatStack(record.stack_info)
        entry = {
            "Timestamp": moment.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "SeverityText": record.levelname,
            "SeverityNumber": _SEVERITY.get(record.levelno, min(24, max(1, record.levelno // 10 * 4 + 1))),
            "Body": redact(_message(record)),
            "InstrumentationScope": {"Name": record.name},
            "Attributes": _plain(attributes),
            "Resource": self._resource,
        }
        if trace_id:
            entry["TraceId"] = _text(trace_id)
        if span_id:
            entry["SpanId"] = _text(span_id)
        if flags is not None and trace_id:
            entry["TraceFlags"] = flags
        return _line(entry)

    def _stacktrace(self, record):
        try:
            return self.formatException(record.exc_info)
        except Exception:  # an exception may fail to say what it is
            return f"{record.exc_info[0].__name__} (its stack trace cannot be formatted)"


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

    home = pathlib.Path(directory) if directory else pathlib.Path(__file__).resolve().parent.parent
    settings = yaml.safe_load((home / "config" / "logging.yaml").read_text(encoding="utf-8"))
    values = {**_read_env(home / ".env"), **os.environ}
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
    know_secrets(values)
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
        uncaught.error(args.err_msg or "exception ignored", exc_info=given)

    sys.excepthook = of_program
    threading.excepthook = of_thread
    sys.unraisablehook = of_clean_up


def _plain(value, depth=0):
    """Converts a value to one that JSON can represent: an attached value must never cause a record to be lost."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return redact(value)
    if depth > 8:
        return redact(_text(value))
    if isinstance(value, dict):
        pairs = ((_text(key), item) for key, item in list(value.items()))
        return {key: _attribute(key, item, depth + 1) for key, item in pairs}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item, depth + 1) for item in list(value)]
    return redact(_text(value))


def _attribute(name, value, depth):
    is_shown = value is None or isinstance(value, bool) or not is_secret(name)
    return _plain(value, depth) if is_shown else REDACTED


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
    line = json.dumps(entry, ensure_ascii=False, allow_nan=False)
    try:
        line.encode()
    except UnicodeEncodeError:  # half a surrogate pair has no bytes in UTF-8
        line = json.dumps(entry, allow_nan=False)
    for character, escape in _LINE_ENDS.items():
        line = line.replace(character, escape)
    return line


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
    """Reads KEY=value lines; a file that is missing or may not be read has none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.strip().partition("=") for line in lines if not line.lstrip().startswith("#"))
    return {name.strip(): value.strip().strip("'\"") for name, sign, value in pairs if sign and name.strip()}


def _open_private(path, flags):
    return os.open(path, flags, 0o600)
