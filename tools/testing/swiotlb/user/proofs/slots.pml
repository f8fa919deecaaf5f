/* SPDX-License-Identifier: GPL-2.0 */
/*
 * set_last_first() without a lock: the owner of an allocation reads the words of free
 * and first bits that lead to its start, while other CPUs take and return slots in
 * the same words under the area's lock. It must always find its own start.
 *
 * Two words of three slots. The owner takes some run and looks up a slot of it at some
 * time; two others take and return all the time. Stores of set_take() and set_free()
 * become visible in any order, and loads of set_last_first() are made in any order. If
 * TORN, a word is stored and loaded in two parts, as 64 bits are on a 32-bit CPU; there
 * is one other only then, and the owner has up to two slots, to keep it feasible.
 *
 * An allocation of several sets needs no model of its own: the search for its start does
 * the same in each of them, and only its owner changes @goes_on of its sets. close.pml
 * models that a pool is closed and freed under such readers.
 *
 * The result that is expected for each set of options:
 *
 * holds:	words
 * holds:	torn_words		TORN
 * broken:	no_lock_to_take		TAKE_WITHOUT_LOCK
 * broken:	no_lock_to_return	RETURN_WITHOUT_LOCK
 * broken:	read_before_lock	READ_BEFORE_LOCK
 * broken:	intermediate_value	CLEAR_THEN_SET
 * broken:	other_starts_cleared	CLEAR_ALL_FIRST
 * broken:	later_starts_seen	NO_MASK
 * broken:	end_ignores_first	END_BY_FREE
 */
#define BITS	3
#define WORD	7
#define SLOTS	6

byte free[2] = WORD;
byte first[2];
bool locked;

#define LOCK	atomic { !locked -> locked = true }
#define UNLOCK	locked = false

/* A word is stored or loaded in one part or in two; done has a bit for each part. */
#ifdef TORN
#define PARTS(todo)	((todo) | (todo) << 3)
#define PART(k)		(k < 3 -> 3 : 4)
#define RUN_OTHERS	run other()
#define OWNER_MOST	2
#else
#define PARTS(todo)	(todo)
#define PART(k)		WORD
#define RUN_OTHERS	run other(); run other()
#define OWNER_MOST	3
#endif

/* --- right variants and wrong ones --- */

#ifdef TAKE_WITHOUT_LOCK
#define LOCK_TO_TAKE	skip
#define UNLOCK_TAKEN	skip
#else
#define LOCK_TO_TAKE	LOCK
#define UNLOCK_TAKEN	UNLOCK
#endif

#ifdef RETURN_WITHOUT_LOCK
#define LOCK_TO_RETURN	skip
#define UNLOCK_RETURNED	skip
#else
#define LOCK_TO_RETURN	LOCK
#define UNLOCK_RETURNED	UNLOCK
#endif

#ifdef READ_BEFORE_LOCK
#define READ_EARLY	atomic { early[0] = first[0]; early[1] = first[1] }
#define OLD_FIRST(w)	early[w]
#else
#define READ_EARLY	skip
#define OLD_FIRST(w)	first[w]
#endif

#ifdef CLEAR_THEN_SET
#define SPOIL_FIRST	first[start / BITS] = 0
#else
#define SPOIL_FIRST	skip
#endif

#ifdef CLEAR_ALL_FIRST
#define KEEP_FIRST(s)	0
#else
#define KEEP_FIRST(s)	(first[s / BITS] & ~(1 << (s % BITS)))
#endif

#ifdef END_BY_FREE
#define ENDS(w)		free[w]
#else
#define ENDS(w)		(free[w] | first[w])
#endif

#ifdef NO_MASK
#define UP_TO(bit)	WORD
#else
#define UP_TO(bit)	((2 << (bit)) - 1)
#endif

/* --- the code --- */

#define LOCALS	byte start, n, k, todo, new_free[2], new_first, early[2]

#define MINE	(((1 << n) - 1) << start)

#define STORE(to, from)	to = (to & ~PART(k)) | (from & PART(k))

/* Both words of free and one of first, in any order */
inline store_words()
{
	todo = PARTS(7);
	do
	:: atomic {
		todo ->
		select(k : 0 .. 5);
		if
		:: todo & (1 << k) ->
			todo = todo & ~(1 << k);
			if
			:: k % 3 < 2 -> STORE(free[k % 3], new_free[k % 3])
			:: else -> STORE(first[start / BITS], new_first)
			fi
		:: else
		fi;
		k = 0
	   }
	:: !todo -> break
	od
}

/* Any run of free slots, or none: n is 0 then */
inline choose_run(most)
{
	select(start : 0 .. SLOTS - 1);
	select(n : 1 .. most);
	if
	:: start + n > SLOTS || ((free[0] | free[1] << BITS) & MINE) != MINE ->
		n = 0;
		start = 0
	:: else
	fi
}

inline take(most)
{
	READ_EARLY;
	LOCK_TO_TAKE;
	atomic {
		choose_run(most);
		new_free[0] = free[0] & ~MINE;
		new_free[1] = free[1] & ~(MINE >> BITS);
		new_first = OLD_FIRST(start / BITS) | (1 << (start % BITS));
		early[0] = 0;
		early[1] = 0
	}
	if
	:: n ->
		SPOIL_FIRST;
		store_words()
	:: else
	fi;
	atomic { new_free[0] = 0; new_free[1] = 0; new_first = 0; UNLOCK_TAKEN }
}

/* set_free() has to find the end of the allocation. */
inline check_end()
{
	k = start + 1;
	do
	:: k < SLOTS && !(ENDS(k / BITS) & (1 << (k % BITS))) -> k++
	:: else -> break
	od;
	assert(k == start + n);
	k = 0
}

inline give_back()
{
	LOCK_TO_RETURN;
	atomic {
		check_end();
		new_free[0] = free[0] | (MINE & WORD);
		new_free[1] = free[1] | (MINE >> BITS);
		new_first = KEEP_FIRST(start)
	}
	store_words();
	atomic {
		n = 0; start = 0; new_free[0] = 0; new_free[1] = 0; new_first = 0;
		UNLOCK_RETURNED
	}
}

proctype other()
{
	LOCALS;

	do
	:: !n -> take(2)
	:: n -> give_back()
	od
}

/* The words that set_last_first() looks at for a slot, parts of them in any order */
inline load_words()
{
	todo = PARTS(slot / BITS -> 7 : 3);
	do
	:: atomic {
		todo ->
		select(k : 0 .. 5);
		if
		:: todo & (1 << k) ->
			todo = todo & ~(1 << k);
			if
			:: k % 3 == 0 ->
				assert(!(free[slot / BITS] & PART(k) & (1 << (slot % BITS))))
			:: k % 3 == 1 -> STORE(seen, (first[slot / BITS] & UP_TO(slot % BITS)))
			:: k % 3 == 2 -> STORE(seen_below, first[0])
			fi
		:: else
		fi;
		k = 0
	   }
	:: !todo -> break
	od
}

active proctype owner()
{
	LOCALS;
	byte slot, seen, seen_below, base;

	do
	:: !n -> take(OWNER_MOST)
	:: n -> break
	od;
	atomic {
		select(slot : 0 .. SLOTS - 1);
		if
		:: slot >= start && slot < start + n
		:: else -> slot = start
		fi;
		RUN_OTHERS
	}
	load_words();
	atomic {
		base = BITS * (slot / BITS);
		if
		:: !seen && base -> seen = seen_below; base = 0
		:: else
		fi;
		assert(seen);
		assert(base + (seen & 4 -> 2 : (seen & 2 -> 1 : 0)) == start)
	}
}
