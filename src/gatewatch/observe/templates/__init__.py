"""Path templates: typed at once, learnt centrally, explained, reversible."""

from __future__ import annotations

from gatewatch.observe.templates.identity import normal_host, path_identity
from gatewatch.observe.templates.learner import PathExplanation, TemplateLearner
from gatewatch.observe.templates.template_set import PathMatch, TemplateSet

__all__ = ["PathExplanation", "PathMatch", "TemplateLearner", "TemplateSet", "normal_host", "path_identity"]
