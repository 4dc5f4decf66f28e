"""Formats Python log records as JSON, one object per line.

The field names are those of the OpenTelemetry Log Data Model
(https://opentelemetry.io/docs/specs/otel/logs/data-model/). Standard library only.
"""

import datetime
import json
import logging
import math
import os

# Fields that every record has. All others come from `extra=` and become attributes.
_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

# OpenTelemetry's severity numbers for Python's levels.
_SEVERITY = {10: 5, 20: 9, 30: 13, 40: 17, 50: 21}


class JsonFormatter(logging.Formatter):
    """Formats each record as one JSON object on a single line, whatever the message contains."""

    def __init__(self, resource=None):
        super().__init__()
        self._resource = dict(resource or {})

    def format(self, record):
        moment = datetime.datetime.fromtimestamp(record.created, datetime.timezone.utc)
        attributes = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        attributes["code.file.path"] = record.pathname
        attributes["code.line.number"] = record.lineno
        trace_id = attributes.pop("trace_id", None)
        span_id = attributes.pop("span_id", None)
        if record.exc_info:
            kind = record.exc_info[0]
            attributes["exception.type"] = kind.__name__ if kind else "unknown"
            attributes["exception.message"] = str(record.exc_info[1])
            attributes["exception.stacktrace"] = self.formatException(record.exc_info)
        entry = {
            "Timestamp": moment.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "SeverityText": record.levelname,
            "SeverityNumber": _SEVERITY.get(record.levelno, min(24, max(1, record.levelno // 10 * 4 + 1))),
            "Body": record.getMessage(),
            "InstrumentationScope": {"Name": record.name},
            "Attributes": attributes,
            "Resource": self._resource,
        }
        if record.stack_info:
            attributes["code.stacktrace"] = self.formatStack(record.stack_info)
        if trace_id:
            entry["TraceId"] = trace_id
        if span_id:
            entry["SpanId"] = span_id
        return json.dumps(_plain(entry), ensure_ascii=False, allow_nan=False)


def _plain(value, depth=0):
    """Converts a value to one that JSON can represent: an attached value must never cause a record to be lost."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if depth > 8:
        return str(value)
    if isinstance(value, dict):
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item, depth + 1) for item in value]
    return str(value)


def configure(directory="."):
    """Loads config/logging.yaml from a framework's directory; LOG_LEVEL overrides the root level."""
    import logging.config

    import yaml

    with open(os.path.join(directory, "config", "logging.yaml"), encoding="utf-8") as file:
        settings = yaml.safe_load(file)
    level = os.environ.get("LOG_LEVEL")
    if level:
        settings["root"]["level"] = level.upper()
    logging.config.dictConfig(settings)
