"""The traffic store: observations and their aggregating views, in ClickHouse."""
