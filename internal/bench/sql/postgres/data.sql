-- A shop of :n people: 19 rows each in 8 tables, every person's rows far apart, as time scatters them.
INSERT INTO users SELECT i, 'User.' || i || '@Example.org', 'Given' || i % 977 || ' Family' || i, '+49 30 ' || 1000000 + i, timestamp '2020-01-01' + i * interval '1 minute'
	FROM generate_series(1, :n) i;
INSERT INTO addresses SELECT i, (i - 1) % :n + 1, 'Street ' || i % 4999 || ', house ' || i % 97, 'City ' || i % 499, 10000 + i % 89999, 'DE'
	FROM generate_series(1, :n * 6 / 5) i;
INSERT INTO orders SELECT i, u, CASE WHEN i % 50 = 0 THEN u * 7 % :n + 1 ELSE u END, timestamp '2022-01-01' + i * interval '30 seconds', (ARRAY['paid', 'sent', 'back'])[i % 3 + 1], (i % 90000 + 100) / 100.0
	FROM (SELECT i, (i::bigint * 7919 + 13) % :n + 1 AS u FROM generate_series(1, :n * 3) i) x;
INSERT INTO order_items SELECT i, (i::bigint * 7919 + 13) % (:n * 3) + 1, 'SKU-' || i % 9973, 'Article number ' || i % 9973 || ' in a box', i % 4 + 1, (i % 9000 + 99) / 100.0
	FROM generate_series(1, :n * 6) i;
INSERT INTO payments SELECT i, (i::bigint * 7919 + 13) % (:n * 3) + 1, (ARRAY['card', 'transfer'])[i % 2 + 1], (i % 90000 + 100) / 100.0, 'REF' || 100000000 + i, timestamp '2022-01-01' + i * interval '30 seconds'
	FROM generate_series(1, :n * 3) i;
INSERT INTO sessions SELECT i, (i::bigint * 7919 + 13) % :n + 1, md5(i::text), 'Mozilla/5.0 (X11; Linux x86_64; rv:' || i % 120 || '.0) Gecko/20100101', '10.' || i % 250 || '.' || i % 199 || '.' || i % 251, timestamp '2024-01-01' + i * interval '10 seconds'
	FROM generate_series(1, :n * 3) i;
INSERT INTO tickets SELECT i, (i::bigint * 7919 + 13) % :n + 1, 'Where is my parcel number ' || i % 997, timestamp '2025-01-01' + i * interval '1 minute'
	FROM generate_series(1, :n / 2) i;
INSERT INTO ticket_messages SELECT i, (i::bigint * 7919 + 13) % (:n / 2) + 1, i % 3 = 0, 'Dear all, this is message ' || i || ' of a long conversation about a parcel that has not come.', timestamp '2025-01-01' + i * interval '20 seconds'
	FROM generate_series(1, :n * 3 / 2) i;
