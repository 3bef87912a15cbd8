SELECT i.endpoint_id AS endpoint_id, i.location AS location, i.path AS path, i.type AS type, i.transactions AS transactions,
       i.status_classes AS status_classes, i.first_seen AS first_seen, i.last_seen AS last_seen,
       if(startsWith(location, 'response'), f.responses, if(p.calls > 0, p.calls, f.calls)) AS samples
FROM
(
    SELECT endpoint_id, location, path, type, sum(transactions) AS transactions,
           arraySort(groupUniqArrayArray(status_classes)) AS status_classes, min(first_ts) AS first_seen, max(last_ts) AS last_seen
    FROM information_facts
    WHERE endpoint_id != 0 AND ({all:Bool} OR endpoint_id IN {endpoint_ids:Array(UInt64)})
    GROUP BY endpoint_id, location, path, type
) AS i
LEFT JOIN
(
    SELECT endpoint_id, sum(calls) AS calls, sum(response_bodies) AS responses
    FROM endpoint_facts
    WHERE endpoint_id != 0
    GROUP BY endpoint_id
) AS f ON f.endpoint_id = i.endpoint_id
LEFT JOIN
(
    SELECT endpoint_id, location, name, sum(calls) AS calls
    FROM parameter_profile
    WHERE endpoint_id != 0 AND ({all:Bool} OR endpoint_id IN {endpoint_ids:Array(UInt64)})
    GROUP BY endpoint_id, location, name
) AS p ON p.endpoint_id = i.endpoint_id AND p.location = i.location AND p.name = i.path
ORDER BY endpoint_id, location, path, type
