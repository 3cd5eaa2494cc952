package catalog_test

import (
	"fmt"
	"testing"
)

// TestScanOfADesk: an account that many people with addresses have is a tenant and nobody; who writes, is assigned or acts is a user before a
// contact of the same number, and a sender may be either; a conversation that users take part in is the contact's; an AccountUser is no user.
func TestScanOfADesk(t *testing.T) {
	path := stores(t, "", map[string]string{"desk": `create table accounts (id integer primary key, name text, support_email text);
		create table users (id integer primary key, name text, email text, encrypted_password text);
		create table account_users (id integer primary key, account_id integer, user_id integer);
		create table contacts (id integer primary key, name text, email text, account_id integer not null);
		create table conversations (id integer primary key, account_id integer not null, contact_id integer, assignee_id integer);
		create table conversation_participants (id integer primary key, conversation_id integer not null, user_id integer not null);
		create table surveys (id integer primary key, contact_id integer not null, assigned_agent_id integer);
		create table articles (id integer primary key, author_id integer, title text);
		create table campaigns (id integer primary key, sender_id integer, title text);
		create table audits (id integer primary key, auditable_id integer, auditable_type text);
		insert into accounts values (1, 'Nord', 'help@nord.example'), (2, 'Sud', 'help@sud.example');
		insert into users values ` + series(8, func(i int) string { return fmt.Sprintf("%d, 'Bo', 'staff%d@example.net', 'x'", i, i) }) + `;
		insert into account_users select id, 1, id from users;
		insert into contacts values ` + series(60, func(i int) string { return fmt.Sprintf("%d, 'Ida', %s, 1", i, mail(i)) }) + `;
		insert into conversations select id+900, 1, id, 1+id%8 from contacts;
		insert into conversation_participants select id, id+900, 1+id%8 from contacts;
		insert into surveys select id+500, id, 1+id%8 from contacts;
		insert into articles select id+500, 1+id%8, 'How to' from contacts;
		insert into campaigns select id, 1+id%8, 'Sale' from users;
		insert into audits select id, id, 'AccountUser' from users;`})
	same(t, linksOf(t, path), []string{
		`people:desk.contacts {"contact":"id","email":"email"}`,
		`people:desk.users {"email":"email","user":"id"}`,
		`link:desk.account_users.user_id users.id own`,
		`link:desk.conversations.contact_id contacts.id own`,
		`link:desk.conversations.assignee_id users.id mention`,
		`link:desk.conversation_participants.user_id users.id own`,
		`link:desk.conversation_participants.conversation_id conversations.id context`,
		`link:desk.surveys.contact_id contacts.id own`,
		`link:desk.surveys.assigned_agent_id users.id mention`,
		`link:desk.articles.author_id users.id own author`,
		`link:desk.audits.auditable_id:account_user account_users.id own`,
		`keep:desk.audits`,
	})
}
