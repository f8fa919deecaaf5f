/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lists of transient pools and tables of pools are read without a lock while others
 * change them. A reader looks for a pool that it holds a mapping in: it must find it,
 * and must never touch what has been freed.
 *
 * The list of a device: head -> 0 -> 1. A mapping in pool 1 is held; pool 0 is
 * unmapped, freed when readers have left, and its memory becomes a new pool of the same
 * list at once. Then the table: the worker replaces it by one that has a pool more.
 *
 * holds:	list			LIST
 * holds:	table			TABLE
 * broken:	list_free_at_once	LIST FREE_AT_ONCE
 * broken:	list_no_reader		LIST WITHOUT_READ_LOCK
 * broken:	list_del_poisons	LIST DEL_POISONS
 * broken:	list_add_early		LIST ADD_EARLY
 * broken:	table_free_at_once	TABLE FREE_AT_ONCE
 * broken:	table_no_reader		TABLE WITHOUT_READ_LOCK
 * broken:	table_fill_late		TABLE ADD_EARLY
 */
#define NONE	9		/* end of the list, or a poisoned pointer */
#define POISON	8

#ifdef LIST
#define READ	read_list()
#define CHANGE	change_list()
#else
#define READ	read_table()
#define CHANGE	change_table()
#endif

#ifdef FREE_AT_ONCE
#define GRACE_PERIOD	skip
#else
#define GRACE_PERIOD	wait_for_readers()
#endif

#ifdef WITHOUT_READ_LOCK
#define READ_LOCK	skip
#define READ_UNLOCK	skip
#else
#define READ_LOCK	reading[_pid] = true
#define READ_UNLOCK	reading[_pid] = false
#endif

#ifdef DEL_POISONS
#define DEL_NEXT(pool)	next[pool] = POISON
#else
#define DEL_NEXT(pool)	skip
#endif

#ifdef ADD_EARLY
#define EARLY(store)	store
#define LATE(store)	skip
#else
#define EARLY(store)	skip
#define LATE(store)	store
#endif

#define READERS	2

bool reading[READERS];

/* Wait until every reader that is inside now has left once. */
inline wait_for_readers()
{
	i = 0;
	do
	:: i < READERS -> !reading[i]; i++
	:: else -> break
	od
}

/* --- the list --- */

byte head = 0;
byte next[2] = { 1, NONE };
bool alive[2] = true;

inline read_list()
{
	READ_LOCK;
	at = head;
	do
	:: at == 1 -> break
	:: else ->
		assert(at < 2);		/* otherwise pool 1 was not found */
		assert(alive[at]);
		at = next[at]
	od;
	READ_UNLOCK
}

inline change_list()
{
	/* list_del_rcu() of pool 0 */
	head = next[0];
	DEL_NEXT(0);
	GRACE_PERIOD;
	alive[0] = false;
	next[0] = POISON;		/* the memory is used for something else */

	/* list_add_rcu() of a new pool in the same memory */
	alive[0] = true;
	EARLY(head = 0);
	next[0] = 1;
	LATE(head = 0)
}

/* --- the table: two of them in turns, each entry a pool --- */

byte current = 0;
bool table_alive[2] = { true, false };
byte entries[2] = { 1, 0 };

inline read_table()
{
	READ_LOCK;
	at = current;
	assert(table_alive[at]);
	assert(entries[at] >= 1);	/* the pool that was there from the start */
	READ_UNLOCK
}

inline change_table()
{
	i = 1 - current;
	table_alive[i] = true;
	EARLY(current = i);
	entries[i] = 2;
	LATE(current = i);
	old = 1 - i;
	GRACE_PERIOD;
	table_alive[old] = false;
	entries[old] = 0
}

active [READERS] proctype reader()
{
	byte at;

	do
	:: READ
	od
}

active proctype writer()
{
	byte i, old;

	do
	:: CHANGE
	od
}
