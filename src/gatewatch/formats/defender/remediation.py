"""Remediation activities as Defender Vulnerability Management shows them (reference/microsoft.md 10.3)."""

from __future__ import annotations

from gatewatch.formats.defender.vocabulary import moment
from gatewatch.formats.records import Record
from gatewatch.model.remediation import (
    SYSTEM_CONFIRMATION,
    Category,
    CompletionMethod,
    ProductivityImpact,
    RemediationActivity,
    RemediationStatus,
    RemediationType,
    Target,
)

__all__ = ["STATUS", "machine_reference", "remediation_task"]

STATUS = {RemediationStatus.ACTIVE: "Active", RemediationStatus.COMPLETED: "Completed"}
_TYPE = {
    RemediationType.REMOVE_ENDPOINT: "Uninstall",
    RemediationType.FIX_CODE: "Update",
    RemediationType.ATTENTION_REQUIRED: "AttentionRequired",
}
"""Everything else is their ConfigurationChange."""
_CATEGORY = {Category.SOFTWARE: "Software", Category.SECURITY_CONFIGURATION: "SecurityConfiguration"}
_IMPACT = {
    ProductivityImpact.ALL_EXPOSED: "AllExposedAssets",
    ProductivityImpact.WITHOUT_IMPACT: "AssetsWithoutProductivityImpact",
}


def remediation_task(one: RemediationActivity) -> Record:
    """Every key is there, null when it does not apply: of software and its versions nothing is known here."""
    person = one.completed_by if one.completed_by != SYSTEM_CONFIRMATION else ""
    return {
        "id": one.id,
        "title": one.title,
        "createdOn": moment(one.created_at),
        "requesterId": one.requester,
        "requesterEmail": one.requester,
        "status": STATUS[one.status],
        "statusLastModifiedOn": moment(one.changed_at),
        "description": one.description,
        "relatedComponent": one.component,
        "targetDevices": one.targeted,
        "rbacGroupNames": list(one.collections),
        "fixedDevices": one.fixed,
        "requesterNotes": one.notes or None,
        "dueOn": None if one.due_at is None else moment(one.due_at),
        "category": _CATEGORY[one.category],
        "productivityImpactRemediationType": _IMPACT[one.impact],
        "priority": one.priority.value.capitalize(),
        "completionMethod": "Automatic" if one.completion is CompletionMethod.AUTOMATIC else "Manual",
        "completerId": person or None,
        "completerEmail": person or None,
        "scid": one.recommendation or None,
        "type": _TYPE.get(one.type, "ConfigurationChange"),
        "productId": None,
        "vendorId": None,
        "nameId": None,
        "recommendedVersion": None,
        "recommendedVendor": None,
        "recommendedProgram": None,
    }


def machine_reference(one: Target, collection: str) -> Record:
    """What is exposed here are endpoints."""
    return {"id": one.endpoint_id, "computerDnsName": one.endpoint, "osPlatform": "API", "rbacGroupName": collection}
