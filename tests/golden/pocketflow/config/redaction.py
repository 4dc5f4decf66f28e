"""Finds secrets in what is about to be logged, by the name of a value, by its shape, and by what is known to be one.

It errs on the side of redacting: `token: a word` is redacted as well. It cannot know every shape of a secret, so do
not log what you would not show. Standard library only.
"""

import os
import re

REDACTED = "[redacted]"

# The last word of names whose values are secret, whatever stands before it. One `token` is a secret; `max_tokens` is a
# number.
_WORDS = {
    "password", "passwords", "passwd", "passphrase", "pass", "pwd", "secret", "secrets", "token", "salt",
    "authorization", "credential", "credentials", "cookie", "cookies", "apikey", "apikeys",
}
# The word before `key` or `keys`.
_KEYS = {"api", "access", "secret", "private", "encryption", "signing"}
# Of these, a number is a count, or a place in a list.
_COUNTED = {"token", "salt", "cookie", "cookies"}

_NAMED = (
    r"passwords?|passwd|passphrase|secrets?|credentials?|api[_-]?keys?|(?:access|private|encryption|signing)[_-]?keys?"
    r"|(?<!unexpected )(?<!invalid )token|(?<![a-z])(?:pwd|pass|salt)"
)
# In quotes, with escapes; one that is cut off ends with the text. Then a text in quotes within a text in quotes.
_VALUE = (
    r"(?:\"(?:\\.|[^\"\\])*(?:\"|\Z)|'(?:\\.|[^'\\])*(?:'|\Z)|\\\"(?:(?!\\\").)*(?:\\\"|\Z)|[^\s\"',;&}\])\\]+)"
)
_SIGN = r"\\?[\"']?\s{0,5}[=:]\s{0,5}"

# What to look for, what to put in its place, and words (in lower case) of which one must be there: looking for a word
# is much faster than looking for a pattern.
_PATTERNS = [
    # A private key, also one that is cut off.
    (
        re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)", re.S),
        REDACTED,
        ("private key",),
    ),
    # The password in a URL.
    (re.compile(r"(://[^\s/:@?#,;\"']{0,200}:)[^\s/@?#,;\"']{1,500}@"), rf"\1{REDACTED}@", ("://",)),
    # Headers, to the end of the line or of the quotes that they are in.
    (
        re.compile(rf"(?i)\b(authorization{_SIGN}\\?[\"']?)(?!\[redacted\])(digest [^\r\n]+|[^\r\n\"'\\]+)"),
        rf"\1{REDACTED}",
        ("authorization",),
    ),
    (
        re.compile(rf"(?i)\b((?:set-)?cookie{_SIGN}\\?[\"']?)(?!\[redacted\])[^\r\n\"'\\]+"),
        rf"\1{REDACTED}",
        ("cookie",),
    ),
    # Without a header before them, these need more than letters: `Basic authentication` is no secret.
    (
        re.compile(r"\b([Bb]earer +)(?=[^\s\"',;]{0,500}[0-9._~+/=|-])[^\s\"',;]{8,}"),
        rf"\1{REDACTED}",
        ("bearer ",),
    ),
    (
        re.compile(r"\b([Bb]asic +)(?=[A-Za-z0-9+/]{0,500}[0-9=])[A-Za-z0-9+/]{8,}={0,2}"),
        rf"\1{REDACTED}",
        ("basic ",),
    ),
    # Tokens that show by their beginning what they are: OpenAI, OpenRouter, Anthropic, Langfuse; GitHub; GitLab;
    # Slack; AWS; Google; Hugging Face; JSON Web Tokens.
    (
        re.compile(
            r"(?<![\w-])(?:sk-[A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}"
            r"|xox[abeoprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|AIza[\w-]{30,}|hf_[A-Za-z0-9]{20,}"
            r"|eyJ[\w-]{8,4096}\.[\w-]{8,4096}(?:\.[\w-]{0,4096})?)"
        ),
        REDACTED,
        ("sk-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "akia", "aiza", "hf_", "eyj"),
    ),
    # name=value, name: value and "name": "value" in a text.
    (
        re.compile(rf"(?is)({_NAMED})({_SIGN})(?!\[redacted\]){_VALUE}"),
        rf"\1\2{REDACTED}",
        ("pass", "pwd", "secret", "token", "salt", "credential", "key"),
    ),
]

# Values that are known to be secret, with the pattern that finds each; the longest first.
_known = {}


def redact(text):
    """Replaces what looks like a secret in a text, and the values that `know_secrets` was given."""
    for value, pattern in _known.items():
        if value in text:
            text = pattern.sub(REDACTED, text)
    lowered = text.lower()
    for pattern, replacement, words in _PATTERNS:
        if any(word in lowered for word in words):
            text = pattern.sub(replacement, text)
    return text


def is_secret(name, value=None):
    """Whether the value of this name is a secret: of apiKey, DB_PASSWORD and x-auth-token it is."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()
    *before, last = re.split(r"[^a-z0-9]+", words.strip("_-. []")) or [""]
    if last in _COUNTED and type(value) in (int, float):
        return False
    if last in ("key", "keys"):
        return bool(before) and before[-1] in _KEYS
    return last in _WORDS or last.endswith(("password", "passwd"))


def know_secrets(values):
    """Remembers the values of those that are secrets. Short ones are found as whole words only, or not at all.

    A path is none: PWD is where the shell is, and CREDENTIALS may say where they are.
    """
    global _known
    found = set(_known)
    found.update(
        value for name, value in values.items() if is_secret(name) and len(value) >= 8 and not os.path.exists(value)
    )
    _known = {value: _finding(value) for value in sorted(found, key=lambda value: (-len(value), value))}


def _finding(value):
    short = len(value) < 16
    return re.compile(rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])" if short else re.escape(value))
