package catalog_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestScanOfAShopOnABlog: no key is declared; comments are members' and guests', whose number is 0; the shop counts its
// customers anew, in numbers that are members' numbers too; and an author is a person.
func TestScanOfAShopOnABlog(t *testing.T) {
	path := stores(t, "", map[string]string{"wp": `create table users (ID integer primary key, user_email text, user_pass text, display_name text);
		create table posts (ID integer primary key, post_author integer, post_title text);
		create table comments (comment_ID integer primary key, user_id integer, comment_author_email text, comment_author_IP text, comment_content text);
		create table lookup (customer_id integer primary key, user_id integer unique, username text, first_name text, last_name text, email text, city text, postcode text);
		create table stats (order_id integer primary key, customer_id integer, total_sales real);
		insert into users values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %s, 'x', 'First%d Last%d'", i, mail(i), i, i) }) + `;
		insert into posts values ` + series(30, func(i int) string { return fmt.Sprintf("%d, %d, 'Title'", i, 1+i%5) }) + `;
		insert into comments values ` + series(60, func(i int) string {
		if i > 50 {
			return fmt.Sprintf("%d, 0, 'guest%d@example.net', '192.0.2.%d', 'ask bo@example.net'", i, i, i)
		}
		return fmt.Sprintf("%d, %d, %s, '192.0.2.%d', 'nice'", i, i, mail(i), i)
	}) + `;
		insert into lookup values ` + series(40, func(i int) string {
		return fmt.Sprintf("%d, %d, 'login', 'Ida', 'Last', %s, 'Oslo', '0150'", i, i, mail(i))
	}) + `;
		insert into stats values ` + series(40, func(i int) string { return fmt.Sprintf("%d, %d, 10.5", i+50, i) })})
	var got []string
	for _, s := range summary(scan(t, path)) {
		if strings.HasPrefix(s, "link:") || strings.HasPrefix(s, "people:") || strings.HasPrefix(s, "redact:") {
			got = append(got, s)
		}
	}
	want := []string{
		`people:wp.users {"email":"user_email","user":"ID"}`,
		`link:wp.comments.comment_author_email users.user_email own author`,
		`link:wp.comments.user_id users.ID own`,
		`link:wp.lookup.user_id users.ID own`,
		`link:wp.posts.post_author users.ID own author`,
		`link:wp.stats.customer_id lookup.customer_id own`,
		`redact:wp.comments.comment_content comment_content,comment_author_email,comment_author_IP`,
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
