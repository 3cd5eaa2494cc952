CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL UNIQUE, name text NOT NULL, phone text, created_at timestamp NOT NULL);
CREATE TABLE addresses (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users, street text, city text, postcode text, country text);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users, address_id bigint REFERENCES addresses, placed_at timestamp NOT NULL, status text NOT NULL, total numeric(10,2) NOT NULL);
CREATE TABLE order_items (id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders, sku text NOT NULL, title text NOT NULL, quantity integer NOT NULL, price numeric(10,2) NOT NULL);
CREATE TABLE payments (id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders, method text NOT NULL, amount numeric(10,2) NOT NULL, reference text, paid_at timestamp);
CREATE TABLE sessions (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users, token text NOT NULL, agent text, ip text, started_at timestamp NOT NULL);
CREATE TABLE tickets (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users, subject text NOT NULL, opened_at timestamp NOT NULL);
CREATE TABLE ticket_messages (id bigint PRIMARY KEY, ticket_id bigint NOT NULL REFERENCES tickets, staff boolean NOT NULL, body text NOT NULL, sent_at timestamp NOT NULL);
