-- A shop of :n people: 19 rows each in 8 tables, every person's rows far apart, as time scatters them.
WITH RECURSIVE s (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM s WHERE value < :n)
INSERT INTO users SELECT value, 'User.' || value || '@Example.org', 'Given' || value % 977 || ' Family' || value, '+49 30 ' || (1000000 + value), datetime(1577836800 + value * 60, 'unixepoch')
	FROM s;
WITH RECURSIVE s (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM s WHERE value < :n * 6 / 5)
INSERT INTO addresses SELECT value, (value - 1) % :n + 1, 'Street ' || value % 4999 || ', house ' || value % 97, 'City ' || value % 499, CAST(10000 + value % 89999 AS TEXT), 'DE'
	FROM s;
WITH RECURSIVE s (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM s WHERE value < :n * 3)
INSERT INTO orders SELECT i, u, CASE WHEN i % 50 = 0 THEN u * 7 % :n + 1 ELSE u END, datetime(1640995200 + i * 30, 'unixepoch'), CASE i % 3 WHEN 0 THEN 'paid' WHEN 1 THEN 'sent' ELSE 'back' END, i % 90000 + 100
	FROM (SELECT value AS i, (value * 7919 + 13) % :n + 1 AS u FROM s);
WITH RECURSIVE s (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM s WHERE value < :n * 6)
INSERT INTO order_items SELECT value, (value * 7919 + 13) % (:n * 3) + 1, 'SKU-' || value % 9973, 'Article number ' || value % 9973 || ' in a box', value % 4 + 1, value % 9000 + 99
	FROM s;
WITH RECURSIVE s (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM s WHERE value < :n * 3)
INSERT INTO payments SELECT value, (value * 7919 + 13) % (:n * 3) + 1, CASE value % 2 WHEN 0 THEN 'card' ELSE 'transfer' END, value % 90000 + 100, 'REF' || (100000000 + value), datetime(1640995200 + value * 30, 'unixepoch')
	FROM s;
WITH RECURSIVE s (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM s WHERE value < :n * 3)
INSERT INTO sessions SELECT value, (value * 7919 + 13) % :n + 1, printf('%08x%08x%016x', value * 40503 % 4294967296, value, value * 2654435761), 'Mozilla/5.0 (X11; Linux x86_64; rv:' || value % 120 || '.0) Gecko/20100101', '10.' || value % 250 || '.' || value % 199 || '.' || value % 251, datetime(1704067200 + value * 10, 'unixepoch')
	FROM s;
WITH RECURSIVE s (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM s WHERE value < :n / 2)
INSERT INTO tickets SELECT value, (value * 7919 + 13) % :n + 1, 'Where is my parcel number ' || value % 997, datetime(1735689600 + value * 60, 'unixepoch')
	FROM s;
WITH RECURSIVE s (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM s WHERE value < :n * 3 / 2)
INSERT INTO ticket_messages SELECT value, (value * 7919 + 13) % (:n / 2) + 1, value % 3 = 0, 'Dear all, this is message ' || value || ' of a long conversation about a parcel that has not come.', datetime(1735689600 + value * 20, 'unixepoch')
	FROM s;
