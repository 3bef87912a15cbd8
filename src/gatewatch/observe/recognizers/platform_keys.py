"""Keys of platforms and services beside the great clouds, told by the prefixes their makers gave them for this purpose."""

from __future__ import annotations

import re

from gatewatch.observe.recognizers._prefixed_key import PrefixedKey

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


class GitlabToken(PrefixedKey, key="gitlab_token", title="GitLab token", source="GitLab: token overview"):
    """GitLab token of a person, runner, deployment, trigger or feed."""

    expressions = (rb"gl(pat|rt|dt|ptt|ft|soat|cbt|agent)-[\w-]{20}",)
    pattern = re.compile(r"\bgl(?:pat|rt|dt|ptt|ft|soat|cbt|agent)-[\w-]{20,64}")


class SendgridKey(PrefixedKey, key="sendgrid_key", title="SendGrid API key", source="SendGrid: API keys"):
    """SendGrid API key."""

    expressions = (rb"SG\.[\w-]{16,32}\.[\w-]{16,64}",)
    pattern = re.compile(r"\bSG\.[\w-]{16,32}\.[\w-]{16,64}")


class NpmToken(PrefixedKey, key="npm_token", title="npm token", source="npm: about access tokens"):
    """npm access token."""

    expressions = (rb"npm_[A-Za-z0-9]{36}",)
    pattern = re.compile(r"\bnpm_[A-Za-z0-9]{36}\b")


class PypiToken(PrefixedKey, key="pypi_token", title="PyPI token", source="PyPI: API tokens"):
    """PyPI upload token (a macaroon for pypi.org)."""

    expressions = (rb"pypi-AgEIcHlwaS5vcmc[\w-]{50}",)
    pattern = re.compile(r"\bpypi-AgEIcHlwaS5vcmc[\w-]{50,}")


class GoogleOauthSecret(
    PrefixedKey, key="gcp_oauth_secret", title="Google OAuth client secret", source="Google: OAuth 2.0"
):
    """Google OAuth client secret."""

    expressions = (rb"GOCSPX-[\w-]{28}",)
    pattern = re.compile(r"\bGOCSPX-[\w-]{28}(?![\w-])")


class AzureClientSecret(
    PrefixedKey,
    key="azure_client_secret",
    title="Microsoft Entra client secret",
    source="Microsoft Purview: client secret",
):
    """Client secret of Microsoft Entra ID: `Q~` after three characters and a digit."""

    expressions = (rb"[\w.~-]{3}\dQ~[\w.~-]{31,34}",)
    pattern = re.compile(r"(?<![\w.~-])[\w.~-]{3}\dQ~[\w.~-]{31,34}(?![\w.~-])")


class DigitalOceanToken(
    PrefixedKey, key="digitalocean_token", title="DigitalOcean token", source="DigitalOcean: personal access tokens"
):
    """DigitalOcean token."""

    expressions = (rb"do[opr]_v1_[a-f0-9]{64}",)
    pattern = re.compile(r"\bdo[opr]_v1_[a-f0-9]{64}\b")


class ShopifyToken(PrefixedKey, key="shopify_token", title="Shopify token", source="Shopify: access tokens"):
    """Shopify access token or shared secret."""

    expressions = (rb"shp(at|ca|pa|ss)_[a-f0-9]{32}",)
    pattern = re.compile(r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b")


class HuggingFaceToken(
    PrefixedKey, key="huggingface_token", title="Hugging Face token", source="Hugging Face: user access tokens"
):
    """Hugging Face token."""

    expressions = (rb"hf_[A-Za-z]{34}",)
    pattern = re.compile(r"\bhf_[A-Za-z]{34}\b")


class SlackWebhook(PrefixedKey, key="slack_webhook", title="Slack webhook address", source="Slack: incoming webhooks"):
    """Slack incoming webhook: who knows the address may post."""

    expressions = (rb"hooks\.slack\.com/(services|workflows)/[\w/]{40}",)
    pattern = re.compile(r"hooks\.slack\.com/(?:services|workflows)/[\w/]{40,120}")
