-- Distinct addresses of the span against a list of ranges that do not overlap; only then the raw rows of those found.
WITH listed AS
(
    SELECT seen.client_ip AS client_ip, ranges.label AS label
    FROM
    (
        SELECT 1 AS one, client_ip, toUInt128(client_ip) AS address
        FROM traffic_minute
        WHERE minute >= toStartOfMinute(fromUnixTimestamp64Milli(toInt64({window_start:Float64} * 1000), 'UTC'))
          AND minute < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC')
        GROUP BY client_ip
    ) AS seen
    ASOF JOIN
    (
        SELECT 1 AS one, toUInt128(first) AS lowest, toUInt128(last) AS highest, label
        FROM address_ranges
        WHERE list = {list:String}
    ) AS ranges ON seen.one = ranges.one AND seen.address >= ranges.lowest
    WHERE seen.address <= ranges.highest
)
SELECT toFloat64(intDiv(toUnixTimestamp(ts), {window_s:UInt32}) * {window_s:UInt32}) AS window_start, client_ip,
       min(o.ts) AS first_seen, max(o.ts) AS last_seen, min(o.ts) AS detected_at, count() AS count,
       countIf(status BETWEEN 200 AND 399) AS accepted, any(listed.label) AS label,
       groupUniqArray(100)((toString(actor_kind), actor_id)) AS actors, [client_ip] AS client_ips,
       groupUniqArrayIf(100)(concat(method, ' ', host, ' ', template), template != '') AS endpoints,
       groupArraySorted(10)((o.ts, id, concat(method, ' ', if(template = '', host, template), ' answered ', toString(status)))) AS evidence
FROM observed AS o
INNER JOIN listed ON listed.client_ip = o.client_ip
WHERE ts >= fromUnixTimestamp64Milli(toInt64({window_start:Float64} * 1000), 'UTC')
      AND ts < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC')
  AND client_ip IN (SELECT client_ip FROM listed)
GROUP BY window_start, client_ip
