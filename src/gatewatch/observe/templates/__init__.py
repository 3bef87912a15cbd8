"""Path templates: typed at once, learnt centrally, explained, reversible."""

from __future__ import annotations

from gatewatch.observe.templates.learner import TemplateLearner
from gatewatch.observe.templates.template_set import PathMatch, TemplateSet, normal_host, path_identity

__all__ = ["PathMatch", "TemplateLearner", "TemplateSet", "normal_host", "path_identity"]
