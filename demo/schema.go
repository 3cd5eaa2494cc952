package demo

// The shop declares its foreign keys, all but one: page_views was added in a hurry.
const shopSchema = `
create table customers (
  id integer primary key,
  email text not null unique,
  first_name text not null,
  last_name text not null,
  phone text,
  born_on text,
  country text not null,
  created_at text not null,
  deleted_at text,
  referred_by integer references customers(id)
);
create index customers_email_folded on customers (lower(email));
create index customers_referred_by on customers (referred_by);
create table addresses (
  id integer primary key,
  customer_id integer not null references customers(id),
  street text not null,
  postcode text not null,
  city text not null,
  country text not null
);
create index addresses_customer on addresses (customer_id);
create table products (id integer primary key, sku text not null unique, name text not null, price_cents integer not null);
create table orders (
  id integer primary key,
  order_no text not null unique,
  customer_id integer not null references customers(id),
  ship_to integer references addresses(id),
  status text not null check (status in ('placed', 'shipped', 'returned')),
  placed_at text not null,
  note text
);
create index orders_customer on orders (customer_id);
create index orders_ship_to on orders (ship_to);
create table order_items (
  order_id integer not null references orders(id),
  product_id integer not null references products(id),
  quantity integer not null,
  price_cents integer not null,
  primary key (order_id, product_id)
);
create index order_items_product on order_items (product_id);
create table reviews (
  id integer primary key,
  product_id integer not null references products(id),
  customer_id integer not null references customers(id),
  author_name text,
  stars integer not null check (stars between 1 and 5),
  body text,
  posted_at text not null
);
create index reviews_customer on reviews (customer_id);
create index reviews_product on reviews (product_id);
create table review_answers (
  id integer primary key,
  review_id integer not null references reviews(id),
  customer_id integer not null references customers(id),
  body text,
  posted_at text not null
);
create index review_answers_review on review_answers (review_id);
create index review_answers_customer on review_answers (customer_id);
create table wishes (
  customer_id integer not null references customers(id),
  product_id integer not null references products(id),
  primary key (customer_id, product_id)
);
create index wishes_product on wishes (product_id);
create table swaps (
  id integer primary key,
  from_customer integer not null references customers(id),
  to_customer integer not null references customers(id),
  message text,
  sent_at text not null
);
create index swaps_from on swaps (from_customer);
create index swaps_to on swaps (to_customer);
create table customers_referred (
  id integer primary key,
  customer_id integer not null references customers(id),
  referred_by integer references customers(id),
  referred_on text
);
create index customers_referred_customer on customers_referred (customer_id);
create index customers_referred_by_2 on customers_referred (referred_by);
create table sessions (
  token text primary key,
  customer_id integer not null references customers(id) on delete cascade,
  ip text,
  user_agent text,
  seen_at text
);
create index sessions_customer on sessions (customer_id);
create table page_views (id integer primary key, customer_ref integer, path text, seen_at text);
create index page_views_customer on page_views (customer_ref);
`

// Billing was bought: it declares nothing, and knows customers and orders by their numbers.
const billingSchema = `
create table invoices (
  invoice_no text primary key,
  customer_no integer,
  order_no text,
  billed_to text,
  email text,
  issued_at text,
  total_cents integer
);
create index invoices_customer on invoices (customer_no);
create index invoices_order on invoices (order_no);
create table invoice_lines (invoice_no text, line integer, what text, amount_cents integer, primary key (invoice_no, line));
create table payments (id integer primary key, invoice_no text, card_last4 text, amount_cents integer, paid_at text);
create index payments_invoice on payments (invoice_no);
`

// Support is letters: who wrote, and what.
const supportSchema = `
create table tickets (id integer primary key, sender_email text not null, subject text, opened_at text);
create index tickets_sender on tickets (lower(sender_email));
create table messages (id integer primary key, ticket_id integer not null references tickets(id), sender text not null, body text, sent_at text);
create index messages_ticket on messages (ticket_id);
`

// The newsletter is a bare list of addresses, without so much as a key.
const newsletterSchema = `
create table addresses (email text, added_on text);
create index addresses_email on addresses (lower(email));
`
