SELECT f.endpoint_id AS endpoint_id, e.method AS method, e.host AS host, e.template AS template, e.operation AS operation,
       e.reason AS reason, e.confidence AS confidence, e.why AS why, f.*
FROM
(
    SELECT endpoint_id, min(first_ts) AS first_seen, max(last_ts) AS last_seen, max(external_ts) AS external_last_seen,
           sum(calls) AS calls, sum(calls_none) AS none, sum(calls_1xx) AS c1, sum(calls_2xx) AS c2, sum(calls_3xx) AS c3,
           sum(calls_4xx) AS c4, sum(calls_5xx) AS c5,
           sum(authenticated_accepted) AS authenticated_accepted, sum(anonymous_accepted) AS anonymous_accepted,
           sum(anonymous_refused) AS anonymous_refused, sum(credential_evidence) AS credential_evidence,
           uniqCombinedMerge(12)(actors) AS actors, uniqCombinedMerge(12)(clients) AS clients,
           arraySort(groupUniqArrayArray(sources)) AS sources
    FROM endpoint_facts
    WHERE endpoint_id > {after:UInt64} AND ({all:Bool} OR endpoint_id IN {endpoint_ids:Array(UInt64)})
    GROUP BY endpoint_id
    ORDER BY endpoint_id
    LIMIT {limit:UInt64}
) AS f
INNER JOIN endpoints_current AS e ON e.endpoint_id = f.endpoint_id
ORDER BY endpoint_id
