SELECT a.endpoint_id AS endpoint_id, e.method AS method, e.host AS host, e.template AS template, a.location AS location,
       a.path AS path, a.types AS types, a.value_types AS value_types, a.transactions AS transactions
FROM
(
    SELECT endpoint_id, location, path, arraySort(groupUniqArrayIf(type, type != '')) AS types,
           arraySort(groupUniqArrayIf(value_type, value_type != '')) AS value_types, max(n) AS transactions
    FROM
    (
        SELECT endpoint_id, location, name AS path, '' AS type, toString(profile.type) AS value_type, sum(calls) AS n
        FROM parameter_profile AS profile
        WHERE endpoint_id != 0 AND ({all:Bool} OR endpoint_id IN {endpoint_ids:Array(UInt64)})
        GROUP BY endpoint_id, location, path, value_type
        UNION ALL
        SELECT endpoint_id, location, path, toString(information.type) AS type, '' AS value_type, sum(transactions) AS n
        FROM information_facts AS information
        WHERE endpoint_id != 0 AND ({all:Bool} OR endpoint_id IN {endpoint_ids:Array(UInt64)})
        GROUP BY endpoint_id, location, path, type
    )
    GROUP BY endpoint_id, location, path
) AS a
INNER JOIN endpoints_current AS e ON e.endpoint_id = a.endpoint_id
ORDER BY endpoint_id, location, path
