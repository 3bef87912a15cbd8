"""Keys of platforms and services beside the great clouds, told by the prefixes their makers gave them for this purpose."""

from __future__ import annotations

import re

from gatewatch.observe.pattern import PatternMeta
from gatewatch.observe.recognizers.cloud_keys import PrefixedKey

__all__ = [
    "AzureClientSecret",
    "DigitalOceanToken",
    "GitlabToken",
    "GoogleOauthSecret",
    "HuggingFaceToken",
    "NpmToken",
    "PypiToken",
    "SendgridKey",
    "ShopifyToken",
    "SlackWebhook",
]


class GitlabToken(PrefixedKey):
    """GitLab token of a person, runner, deployment, trigger or feed."""

    meta = PatternMeta(id="gitlab_token", title="GitLab token", references=("GitLab: token overview",))
    expressions = (rb"gl(pat|rt|dt|ptt|ft|soat|cbt|agent)-[\w-]{20}",)
    pattern = re.compile(r"\bgl(?:pat|rt|dt|ptt|ft|soat|cbt|agent)-[\w-]{20,64}")


class SendgridKey(PrefixedKey):
    """SendGrid API key."""

    meta = PatternMeta(id="sendgrid_key", title="SendGrid API key", references=("SendGrid: API keys",))
    expressions = (rb"SG\.[\w-]{16,32}\.[\w-]{16,64}",)
    pattern = re.compile(r"\bSG\.[\w-]{16,32}\.[\w-]{16,64}")


class NpmToken(PrefixedKey):
    """npm access token."""

    meta = PatternMeta(id="npm_token", title="npm token", references=("npm: about access tokens",))
    expressions = (rb"npm_[A-Za-z0-9]{36}",)
    pattern = re.compile(r"\bnpm_[A-Za-z0-9]{36}\b")


class PypiToken(PrefixedKey):
    """PyPI upload token (a macaroon for pypi.org)."""

    meta = PatternMeta(id="pypi_token", title="PyPI token", references=("PyPI: API tokens",))
    expressions = (rb"pypi-AgEIcHlwaS5vcmc[\w-]{50}",)
    pattern = re.compile(r"\bpypi-AgEIcHlwaS5vcmc[\w-]{50,}")


class GoogleOauthSecret(PrefixedKey):
    """Google OAuth client secret."""

    meta = PatternMeta(id="gcp_oauth_secret", title="Google OAuth client secret", references=("Google: OAuth 2.0",))
    expressions = (rb"GOCSPX-[\w-]{28}",)
    pattern = re.compile(r"\bGOCSPX-[\w-]{28}(?![\w-])")


class AzureClientSecret(PrefixedKey):
    """Client secret of Microsoft Entra ID: `Q~` after three characters and a digit."""

    meta = PatternMeta(
        id="azure_client_secret",
        title="Microsoft Entra client secret",
        references=("Microsoft Purview: client secret",),
    )
    expressions = (rb"[\w.~-]{3}\dQ~[\w.~-]{31,34}",)
    pattern = re.compile(r"(?<![\w.~-])[\w.~-]{3}\dQ~[\w.~-]{31,34}(?![\w.~-])")


class DigitalOceanToken(PrefixedKey):
    """DigitalOcean token."""

    meta = PatternMeta(
        id="digitalocean_token", title="DigitalOcean token", references=("DigitalOcean: personal access tokens",)
    )
    expressions = (rb"do[opr]_v1_[a-f0-9]{64}",)
    pattern = re.compile(r"\bdo[opr]_v1_[a-f0-9]{64}\b")


class ShopifyToken(PrefixedKey):
    """Shopify access token or shared secret."""

    meta = PatternMeta(id="shopify_token", title="Shopify token", references=("Shopify: access tokens",))
    expressions = (rb"shp(at|ca|pa|ss)_[a-f0-9]{32}",)
    pattern = re.compile(r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b")


class HuggingFaceToken(PrefixedKey):
    """Hugging Face token."""

    meta = PatternMeta(
        id="huggingface_token", title="Hugging Face token", references=("Hugging Face: user access tokens",)
    )
    expressions = (rb"hf_[A-Za-z]{34}",)
    pattern = re.compile(r"\bhf_[A-Za-z]{34}\b")


class SlackWebhook(PrefixedKey):
    """Slack incoming webhook: who knows the address may post."""

    meta = PatternMeta(id="slack_webhook", title="Slack webhook address", references=("Slack: incoming webhooks",))
    expressions = (rb"hooks\.slack\.com/(services|workflows)/[\w/]{40}",)
    pattern = re.compile(r"hooks\.slack\.com/(?:services|workflows)/[\w/]{40,120}")
