"""All rigs by name."""

from __future__ import annotations

from tests.gateway_rigs.apisix import ApisixRig
from tests.gateway_rigs.asked import AskedRig, BoardRig, MiddlewareRig
from tests.gateway_rigs.aws_api_gateway import AwsApiGatewayRig
from tests.gateway_rigs.aws_stage import AwsStageRig
from tests.gateway_rigs.aws_waf import AwsWafRig
from tests.gateway_rigs.azure_apim import AzureApimRig
from tests.gateway_rigs.caddy import CaddyRig
from tests.gateway_rigs.cloudflare import CloudflareRig
from tests.gateway_rigs.crowdsec import CrowdSecRig
from tests.gateway_rigs.envoy import EnvoyRig
from tests.gateway_rigs.haproxy import HAProxyRig
from tests.gateway_rigs.kong import KongRig
from tests.gateway_rigs.memory import MemoryRig
from tests.gateway_rigs.nginx import NginxRig
from tests.gateway_rigs.rig import Rig
from tests.gateway_rigs.traefik import TraefikRig

RIGS: dict[str, type[Rig]] = {
    "apisix": ApisixRig,
    "asked": AskedRig,
    "aws-api-gateway": AwsApiGatewayRig,
    "aws-api-gateway-stage": AwsStageRig,
    "aws-waf": AwsWafRig,
    "azure-apim": AzureApimRig,
    "bouncers": BoardRig,
    "caddy": CaddyRig,
    "cloudflare": CloudflareRig,
    "crowdsec": CrowdSecRig,
    "envoy": EnvoyRig,
    "haproxy": HAProxyRig,
    "kong": KongRig,
    "memory": MemoryRig,
    "middleware": MiddlewareRig,
    "nginx": NginxRig,
    "traefik": TraefikRig,
}
