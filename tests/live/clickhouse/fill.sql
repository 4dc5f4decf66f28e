CREATE DATABASE events ENGINE = Atomic;
CREATE DATABASE `it\'s \`odd\` \\ 漢` ENGINE = Atomic;
CREATE DATABASE empty ENGINE = Atomic;
CREATE DATABASE `two\nlines` ENGINE = Atomic;
CREATE TABLE `two\nlines`.`and\nthree` (n Int8) ENGINE = MergeTree ORDER BY n;
INSERT INTO `two\nlines`.`and\nthree` VALUES (7);
CREATE TABLE events.observations (id UInt64, at DateTime64(6, 'UTC'), name Nullable(String), tags Array(String),
    usage Map(LowCardinality(String), UInt64), raw String, price Decimal(18, 9), doc JSON)
  ENGINE = ReplacingMergeTree(at) PARTITION BY id % 7 ORDER BY id;
CREATE TABLE events.per_name (name String, seen AggregateFunction(uniqExact, UInt64))
  ENGINE = AggregatingMergeTree ORDER BY name;
CREATE MATERIALIZED VIEW events.into_per_name TO events.per_name AS
  SELECT ifNull(name, '') AS name, uniqExactState(id) AS seen FROM events.observations GROUP BY name;
CREATE MATERIALIZED VIEW events.inner_view ENGINE = SummingMergeTree ORDER BY day AS
  SELECT toDate(at) AS day, count() AS n FROM events.observations GROUP BY day;
CREATE VIEW events.named AS SELECT * FROM events.observations FINAL WHERE name IS NOT NULL;
CREATE TABLE events.short_lived (at DateTime) ENGINE = MergeTree ORDER BY at TTL at + INTERVAL 1 DAY;
CREATE TABLE `it\'s \`odd\` \\ 漢`.`a\tb \` \' \\ é` (n Int8) ENGINE = TinyLog;
INSERT INTO `it\'s \`odd\` \\ 漢`.`a\tb \` \' \\ é` VALUES (1), (-2);
INSERT INTO events.observations
  SELECT number, toDateTime64('2026-11-01', 6, 'UTC') + number, if(number % 3 = 0, NULL, concat('näme ', toString(number % 100))),
    [toString(number), '漢'], map('in', number), unhex('00ff0a09'), number / 7, concat('{"a": ', toString(number), '}')
  FROM numbers(200000);
INSERT INTO events.observations
  SELECT number, toDateTime64('2026-11-09', 6, 'UTC'), 'again', [], map(), '', 0, '{}' FROM numbers(500);
INSERT INTO events.short_lived SELECT now() - 60 FROM numbers(5);
