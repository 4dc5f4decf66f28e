"""Finds secrets in what is about to be logged, by the name of a value and by its shape.

It errs on the side of redacting: `token: a word` is redacted as well. It cannot know every shape of a secret, so do
not log what you would not show. Standard library only.
"""

import re

REDACTED = "[redacted]"

# The last words of names whose values are secret. One `token` is a secret; `max_tokens` is a number.
_SECRET_WORDS = {
    ("password",), ("passwd",), ("passphrase",), ("secret",), ("token",), ("salt",), ("authorization",), ("apikey",),
    ("credential",), ("credentials",), ("cookie",), ("cookies",), ("api", "key"), ("access", "key"), ("secret", "key"),
    ("private", "key"), ("encryption", "key"), ("signing", "key"),
}

_PATTERNS = [
    # A private key, also one that is cut off.
    (re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)", re.S), REDACTED),
    # The password in a URL.
    (re.compile(r"(://[^\s/:@]{0,200}:)[^\s/@]{1,500}@"), rf"\1{REDACTED}@"),
    (re.compile(r"(?i)\b(bearer|basic) +[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {REDACTED}"),
    # Tokens that show by their beginning what they are: OpenAI, OpenRouter, Anthropic, Langfuse; GitHub; GitLab;
    # Slack; AWS; Google; Hugging Face; JSON Web Tokens.
    (
        re.compile(
            r"\b(?:sk-[A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}"
            r"|xox[abeoprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|AIza[\w-]{30,}|hf_[A-Za-z0-9]{20,}"
            r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)"
        ),
        REDACTED,
    ),
    # name=value, name: value and "name": "value" in a text.
    (
        re.compile(
            r"(?i)(password|passwd|passphrase|secret|token|api[_-]?key|(?:access|secret|private|encryption)[_-]?key"
            r"|authorization)"
            r"(\\?[\"']?\s{0,5}[=:]\s{0,5})(?!(?:bearer|basic) )"
            r"(\\?\"[^\"]*\"|'[^']*'|[^\s\"',;&}\])]+)"
        ),
        rf"\1\2{REDACTED}",
    ),
]

_known = None


def redact(text):
    """Replaces what looks like a secret in a text, and the values that `know_secrets` was given."""
    if _known is not None:
        text = _known.sub(REDACTED, text)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def is_secret(name):
    """Whether the value of this name is a secret: apiKey, DB_PASSWORD and x-auth-token are."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()
    parts = tuple(filter(None, re.split(r"[^a-z0-9]+", words)))
    return parts[-1:] in _SECRET_WORDS or parts[-2:] in _SECRET_WORDS


def know_secrets(values):
    """Remembers the values of those that are secrets. Short ones would be found in innocent words."""
    global _known
    secrets = {value for name, value in values.items() if is_secret(name) and len(value) >= 8}
    longest_first = sorted(secrets, key=lambda value: (-len(value), value))
    _known = re.compile("|".join(map(re.escape, longest_first))) if secrets else None
