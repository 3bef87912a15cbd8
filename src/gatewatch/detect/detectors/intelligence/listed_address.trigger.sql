-- Nothing to compare with while the list is empty.
SELECT 1
FROM address_ranges
WHERE list = {list:String}
LIMIT 1
