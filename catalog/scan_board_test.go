package catalog_test

import (
	"fmt"
	"testing"
)

// TestScanOfABoard: a profile under the user_id that is the key of users is a part of them; and of two users whom a post on a profile
// names, it is that one's who is called nothing but user.
func TestScanOfABoard(t *testing.T) {
	path := stores(t, "", map[string]string{"board": `create table xf_user (user_id integer primary key, username text unique, email text unique);
		create table xf_user_profile (user_id integer primary key, dob_day integer, dob_year integer, signature text);
		create table xf_profile_post (profile_post_id integer primary key, profile_user_id integer, user_id integer, message text);
		create table xf_warning (warning_id integer primary key, warning_user_id integer, user_id integer, notes text);
		insert into xf_user values ` + series(60, func(i int) string { return fmt.Sprintf("%d, 'Fjell%d', %s", i, i, mail(i)) }) + `;
		insert into xf_user_profile select user_id, 1+user_id%28, 1980, 'See you' from xf_user;
		insert into xf_profile_post select user_id+700, 61-user_id, user_id, 'Good morning' from xf_user;
		insert into xf_warning select user_id+700, 1+user_id%3, user_id, 'was rude' from xf_user;`})
	same(t, linksOf(t, path), []string{
		`people:board.xf_user {"email":"email","user":"user_id"}`,
		`link:board.xf_user_profile.user_id xf_user.user_id own`,
		`link:board.xf_profile_post.user_id xf_user.user_id own`,
		`link:board.xf_profile_post.profile_user_id xf_user.user_id mention`,
		`link:board.xf_warning.user_id xf_user.user_id own`,
		`link:board.xf_warning.warning_user_id xf_user.user_id mention`,
	})
}

// TestScanOfRecipients: the recipients of letters are members who got several, and no people of their own.
func TestScanOfRecipients(t *testing.T) {
	path := stores(t, "", map[string]string{"letters": `create table members (id text primary key, email text unique, name text);
		create table email_recipients (id text primary key, email_id text, member_id text, member_email text, member_name text);
		create table email_recipient_failures (id text primary key, member_id text, email_recipient_id text not null references email_recipients (id), message text);
		insert into members values ` + series(60, func(i int) string { return fmt.Sprintf("'m%d', %s, 'Ida'", i, mail(i)) }) + `;
		insert into email_recipients select 'r'||l.rowid||id, 'l'||l.rowid, id, email, name from members, (select rowid from members limit 4) l;
		insert into email_recipient_failures select 'f'||id, id, 'r1'||id, 'mailbox full' from members;`})
	same(t, linksOf(t, path), []string{
		`people:letters.members {"email":"email","member":"id"}`,
		`link:letters.email_recipients.member_id members.id own`,
		`link:letters.email_recipient_failures.member_id members.id own`,
	})
}
