-- Many people, in one transaction, set by set. ?1 is the folded addresses as a JSON list. The first
-- statement names the people once; it is the only one with a parameter.
CREATE TEMP TABLE gone AS SELECT u.id FROM json_each(?1) AS j CROSS JOIN users AS u ON :folded = j.value;
UPDATE orders SET address_id = NULL
	WHERE address_id IN (SELECT a.id FROM gone CROSS JOIN addresses AS a ON a.user_id = gone.id) AND user_id NOT IN (SELECT id FROM gone);
DELETE FROM payments WHERE order_id IN (SELECT o.id FROM gone CROSS JOIN orders AS o ON o.user_id = gone.id);
DELETE FROM order_items WHERE order_id IN (SELECT o.id FROM gone CROSS JOIN orders AS o ON o.user_id = gone.id);
DELETE FROM orders WHERE user_id IN (SELECT id FROM gone);
DELETE FROM addresses WHERE user_id IN (SELECT id FROM gone);
DELETE FROM sessions WHERE user_id IN (SELECT id FROM gone);
DELETE FROM ticket_messages WHERE ticket_id IN (SELECT t.id FROM gone CROSS JOIN tickets AS t ON t.user_id = gone.id);
DELETE FROM tickets WHERE user_id IN (SELECT id FROM gone);
DELETE FROM users WHERE id IN (SELECT id FROM gone);
DROP TABLE temp.gone;
