-- Blocks whose rows are in every view: `arrivals` may show a block before `observations` does.
CREATE TABLE stored_blocks
(
    block UInt64
)
ENGINE = ReplacingMergeTree(block)
ORDER BY tuple();

INSERT INTO stored_blocks SELECT max(block) FROM arrivals HAVING count() > 0;
