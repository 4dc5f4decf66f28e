SELECT concat('SELECT count(), sum(sipHash64(toString(tuple(*)))) FROM `',
  replaceAll(replaceAll(database, '\\', '\\\\'), '`', '\\`'), '`.`',
  replaceAll(replaceAll(name, '\\', '\\\\'), '`', '\\`'), '` SETTINGS final = 1;')
FROM system.tables
WHERE database NOT IN ('system', 'default', 'INFORMATION_SCHEMA', 'information_schema') AND name NOT LIKE '.inner%'
ORDER BY database, name
FORMAT TSVRaw
