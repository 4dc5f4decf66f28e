SELECT database, if(name LIKE '.inner%', 'inner', name), engine,
  replaceRegexpAll(create_table_query, '\\.inner_id\\.[0-9a-f-]+', 'inner')
FROM system.tables
WHERE database NOT IN ('system', 'default', 'INFORMATION_SCHEMA', 'information_schema')
ORDER BY ALL;
SELECT name FROM system.databases WHERE name = 'empty';
SELECT name, finalizeAggregation(seen) FROM events.per_name FINAL ORDER BY name;
