"""Takes secrets out of text before it leaves the process: errors of SDKs quote whole URLs.

Promise: keys, signatures, tokens and passwords in the forms that storage systems use do not pass. A shape
that nobody has told of passes: keep secrets out of messages in the first place.
"""

from __future__ import annotations

import re

HIDDEN = "***"
_NAMED = re.compile(
    r"(?P<name>\b(?:sig|signature|accountkey|account_key|sharedaccesskey|sharedaccesssignature|secret|client_secret|"
    r"aws_secret_access_key|aws_session_token|x-amz-signature|x-amz-credential|x-amz-security-token|x-goog-signature|"
    r"x-goog-credential|password|passwd|pwd|token|access_token|refresh_token|api[-_]?key)['\"]?\s*[=:]\s*['\"]?)"
    r"[^\s;&'\",}]+",
    re.IGNORECASE,
)
_AUTHORIZATION = re.compile(r"(?P<name>\b(?:bearer|basic|sharedkey|aws4-hmac-sha256)\s+)[^\s'\"]{8,}", re.IGNORECASE)
_IN_URL = re.compile(r"(?P<name>\b[a-z][a-z0-9+.-]*://[^/\s:@]*):[^/\s@]+@", re.IGNORECASE)


def without_secrets(text: str) -> str:
    """Give the text back with its secrets replaced by ``***``."""
    text = _NAMED.sub(rf"\g<name>{HIDDEN}", text)
    text = _AUTHORIZATION.sub(rf"\g<name>{HIDDEN}", text)
    return _IN_URL.sub(rf"\g<name>:{HIDDEN}@", text)
