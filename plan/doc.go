// Package plan finds a person's data, decides what happens to each row, acts in order, and looks again.
//
// It is one pipeline, and data flows one way through it:
//
//	identities → seeds → Walk (closure over owning edges) → fates (a fixpoint) → Plan (hash)
//	approved Plan → Walk again, same hash or drift → journal (sealed) → acts, a transaction per chunk → Look
//
// A plan touches nothing. A run does exactly the approved plan or asks again. A result is complete
// only when separate code has read the stores again and found nothing.
//
// # Whose a row is
//
// Every foreign key and every link of ombud.yaml is an edge from a child dataset to a parent. Its
// role (catalog.Role) comes from the link, else is inferred (catalog.Graph). Then:
//
//   - Seeds: rows of people datasets whose identity column equals a given identity after trimming and
//     case folding. Identities found in a seed lead on to other people datasets when their column is
//     a primary key or UNIQUE in the dataset where they were found.
//   - Who has no row in a people dataset is known by the addresses that rows carry: an owning edge to an identity column
//     leads in by an identity that no row of its parent has, and leads to the subject there.
//   - An edge leads to the subject when its parent row is the subject's. A NULL part leads nowhere
//     (MATCH SIMPLE). An edge to an identity column (a value edge) compares folded, and leads to
//     somebody else only when the value is another person's in the parent dataset. So does, in rows that have such an edge
//     too, a key that no database checks: 0 may say "a guest". There no key leads to a row of the people of which nothing
//     personal is left: an erasure emptied it, and what was kept by law is still theirs whose address it carries.
//   - Direct edges are own, co, alias and join. A row with a non-NULL direct edge is judged by its direct
//     edges alone; with none, by its inherit and context edges, which then act as inherit.
//   - Owned: at least one judged edge leads to an owned row and every other judged edge does too, or leads
//     nowhere. A join row is owned when any of its edges leads to an owned row.
//   - Co-owned: some judged edges lead to the subject and some to others, or the parent is co-owned.
//   - A mention edge of a row that is not the subject's own makes it a mention: counted, its reference broken.
//   - A column that ombud.yaml calls a list (catalog.List) mentions whoever it lists: who goes is taken out of it.
//   - A context (or other) edge of somebody else's row to the subject's row only pins that row.
//   - follow: the parent row is owned when every row that refers to it, by any edge, is owned.
//   - A row of another people dataset is somebody else, unless alias; it is named, never entered.
//   - A value edge and a key edge that contradict each other are a conflict: a gap, nothing is touched.
//
// # What happens to it
//
//   - Owned rows take the rule of their dataset, by default delete. A keep rule whose until date has
//     passed for a row no longer holds for it; a missing or impossible date keeps it, with a warning.
//   - A hold beats everything, per row. Rows that own-inherit from a kept row are its parts and kept too,
//     unless their dataset has a rule of its own.
//   - Co-owned rows survive. Text the subject wrote is replaced whole, spans that identify the subject in
//     text somebody else wrote are masked, and the subject's reference is nulled if the subject's row goes.
//     Columns of an edge, and the date that ends a keep, are no text; a value that names the subject goes.
//   - A surviving row that refers to a dying row: a kept row, a context edge of somebody else's row, or
//     a column that cannot be NULL (NOT NULL, part of the primary key, generated, named in a CHECK that speaks of NULL)
//     pins the parent: it is anonymised instead. Otherwise one nullable column of the reference is set to
//     NULL, never one shared with another reference. Value edges never pin. Repeated until nothing changes;
//     the only move is delete → anonymise, so it ends.
//   - Where a delete could take rows along that we cannot see (a child that cascades and may not be read, a
//     catalog seen only in part) the row is anonymised instead.
//   - MariaDB and MySQL check every key at every row: dying rows that refer to each other in a circle, by
//     references none of which can be NULL, or of rows without a key, are all anonymised instead.
//   - A row that stays and whose primary key is, or holds, the identity gets another key, and every declared reference to it
//     with it, also where that is part of a key that others refer to, in one transaction, the last of its system. So does what
//     changes in it and others refer to beside the primary key. Where a reference cannot be changed that is a gap. Links of ombud.yaml
//     within the system follow too, where they can; where not, looking again names them.
//   - Anonymise: references to dying rows become NULL; the listed columns, else the personal ones
//     (catalog.Table.Personal), become NULL where that is allowed, else a random value that fits type, length,
//     enum, UNIQUE and CHECK. None fits: a gap.
//
// # Part of the data
//
// A Limit narrows an erasure to categories, or to what was there for purposes (catalog.CategoryOf, the purpose of a table).
// What a purpose that goes on needs is kept and named. Nothing else changes: no reference breaks, so whatever a surviving
// row refers to is anonymised in the columns asked for; rows of others and text are not looked at.
//
// # What it promises
//
//   - Order: children first, people rows last: they are the thread back in after a crash.
//   - Fence: a row is touched only if its address was planned and the reason still holds.
//   - Guard: what the database would take along by ON DELETE CASCADE, SET NULL or SET DEFAULT, and nobody
//     planned, stops the transaction: the data has moved, and the plan is asked for anew.
//   - Echo: what comes meanwhile to a dataset that triggers write into goes, or changes, by the rule of that dataset in the same run; the plan says so.
//   - Sweep: all text is read again for identities, and for distinctive values that the person's rows lost.
//   - Resume: every step is idempotent; after kill -9 the sealed journal continues where it stopped.
//   - Retry: a run cuts threads to rows that a hold, or a store that does not answer, keeps for now. The journal
//     remembers them until the request is closed: keys of rows that went, addresses, what identified the people. A
//     key that the store gave to somebody new since leads to them. A link to a key that became another, where rows hold the
//     old one still, or again, follows then.
//   - Sight: a cell that stays, or is given out, and can be read by no decoder is a gap, unless ombud.yaml calls its column opaque.
//   - Memory: beyond Config.Memory rows, datasets leave memory for a sealed temporary file (table.go), the
//     ones that others refer to with their indexes; plans are the same to the last digit. What a retry knows of
//     an earlier run lies there too (ghostkeys.go), or in the journal until its turn. What still grows with
//     a person: rows tied in a circle that only one transaction can delete, the depths of such circles on MariaDB and MySQL, and keys that are not unique in the parent.
package plan
