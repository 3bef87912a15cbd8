"""Keys of cloud services and platforms, told by the prefixes their makers gave them for this purpose."""

from __future__ import annotations

import re

from gatewatch.observe.field_names import FieldName
from gatewatch.observe.pattern import MatchValue, PatternMeta, Recognizer
from gatewatch.observe.recognizers._prefixed_key import PrefixedKey
from gatewatch.observe.value_types import shannon_entropy

__all__ = [
    "AwsAccessKey",
    "AwsSecretKey",
    "AzureStorageKey",
    "GithubToken",
    "GoogleApiKey",
    "SlackToken",
    "StripeKey",
]


class AwsAccessKey(PrefixedKey, key="aws_access_key", title="AWS access key id", source="AWS IAM: unique identifiers"):
    """AWS access key id."""

    expressions = (rb"\b(AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b",)
    pattern = re.compile(r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b")


class GoogleApiKey(PrefixedKey, key="gcp_api_key", title="Google API key", source="Google Cloud: API keys"):
    """Google API key."""

    expressions = (rb"AIza[\w-]{35}",)
    pattern = re.compile(r"\bAIza[\w-]{35}(?![\w-])")


class GithubToken(PrefixedKey, key="github_token", title="GitHub token", source="GitHub: token formats"):
    """GitHub token."""

    expressions = (rb"gh[pousr]_[A-Za-z0-9]{36}", rb"github_pat_\w{22,}")
    pattern = re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_\w{22,255})\b")


class SlackToken(PrefixedKey, key="slack_token", title="Slack token", source="Slack: token types"):
    """Slack token."""

    expressions = (rb"xox[abeoprs]-[\w-]{10,}",)
    pattern = re.compile(r"\bxox[abeoprs]-[\w-]{10,250}")


class StripeKey(PrefixedKey, key="stripe_key", title="Stripe secret key", source="Stripe: API keys"):
    """Stripe secret key."""

    expressions = (rb"[sr]k_(live|test)_[A-Za-z0-9]{16,}",)
    pattern = re.compile(r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,247}\b")


class AzureStorageKey(
    PrefixedKey, key="azure_storage_key", title="Azure storage account key", source="Azure Storage: account keys"
):
    """Azure storage account key or connection string."""

    expressions = (
        rb"AccountKey\s{0,3}=\s{0,3}[\w+/]{80,}",
        rb"SharedAccessKey\s{0,3}=\s{0,3}[\w+/]{40,}",
        rb"[\w+/]{86}==",
    )
    pattern = re.compile(
        r"AccountKey\s*=\s*[\w+/]{80,}={0,2}|SharedAccessKey\s*=\s*[\w+/]{40,}={0,2}|(?<![\w+/])[\w+/]{86}==(?![\w+/=])"
    )


class AwsSecretKey(Recognizer):
    """AWS secret access key."""

    meta = PatternMeta(
        id="aws_secret_key",
        title="AWS secret access key",
        references=("AWS IAM: access keys",),
        known_misses="Forty random characters in a field whose name does not say what they are.",
    )
    expressions = (rb"(^|[^\w+])[\w/+]{40}($|[^\w/+=])",)
    _pattern = re.compile(r"(?<![\w/+=])[A-Za-z0-9/+]{40}(?![\w/+=])")
    _names = FieldName("secret", "secretkey", "secretaccesskey", "awssecret", "accesskey", "credential")

    def recognise(self, value: MatchValue) -> bool:
        """Forty characters of mixed case with high entropy where name or text speaks of a secret; hex digests are none."""
        named = self._names.fits(value.words) or "secret" in value.text.lower()
        return named and any(
            shannon_entropy(text) > 4.0 and not re.fullmatch(r"[0-9a-f]+", text, re.IGNORECASE)
            for text in self._pattern.findall(value.text)
        )
