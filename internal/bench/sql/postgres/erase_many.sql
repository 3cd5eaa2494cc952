-- Many people, in one transaction, set by set. $1 is the folded addresses. The first statement names
-- the people once; it is the only one with a parameter.
CREATE TEMP TABLE gone ON COMMIT DROP AS SELECT id FROM users WHERE :folded = ANY ($1::text[]);
ANALYZE gone;
UPDATE orders o SET address_id = NULL FROM addresses a
	WHERE a.id = o.address_id AND a.user_id IN (SELECT id FROM gone) AND o.user_id NOT IN (SELECT id FROM gone);
DELETE FROM payments p USING orders o WHERE o.id = p.order_id AND o.user_id IN (SELECT id FROM gone);
DELETE FROM order_items i USING orders o WHERE o.id = i.order_id AND o.user_id IN (SELECT id FROM gone);
DELETE FROM orders o USING gone WHERE o.user_id = gone.id;
DELETE FROM addresses a USING gone WHERE a.user_id = gone.id;
DELETE FROM sessions s USING gone WHERE s.user_id = gone.id;
DELETE FROM ticket_messages m USING tickets t WHERE t.id = m.ticket_id AND t.user_id IN (SELECT id FROM gone);
DELETE FROM tickets t USING gone WHERE t.user_id = gone.id;
DELETE FROM users u USING gone WHERE u.id = gone.id;
