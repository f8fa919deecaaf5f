/* SPDX-License-Identifier: GPL-2.0 */
/*
 * swiotlb_pool_close() and swiotlb_unpublish(): a pool is freed while others search it.
 * Nothing may access it afterwards. If it turns out to be in use, it must remain as it was.
 *
 * There are two areas of a slot each. A mapper is an RCU reader while it takes the slot of
 * one area, or of both like a mapping of several sets, with one lock at a time. Afterwards it
 * uses and returns the slots. Shared variables are only accessed under a lock, so only
 * interleavings matter. A mapper that saw the table with the pool is a reader that a grace
 * period waits for. &io_tlb_mem.tries_lock is left out: it allows fewer interleavings.
 *
 * holds:	closed
 * broken:	freed_at_once		WITHOUT_GRACE
 * broken:	not_reopened		WITHOUT_REOPEN
 * broken:	only_looked_at		WITHOUT_MARK
 * broken:	looked_before_lock	LOOK_EARLY
 * broken:	race_not_undone		KEEP_PART
 */
#define FREE	0
#define TAKEN	1
#define CLOSED	2

byte state[2];
bool locked[2];
bool published = true;
bool freed;
byte readers;
byte running;

#define LOCK(a)		atomic { assert(!freed); !locked[a] -> locked[a] = true }
#define UNLOCK(a)	atomic { assert(!freed); locked[a] = false }

#ifdef WITHOUT_GRACE
#define GRACE_PERIOD	skip
#else
#define GRACE_PERIOD	(readers == 0)
#endif

#ifdef WITHOUT_MARK
#define MARK(a)		skip
#else
#define MARK(a)		state[a] = CLOSED
#endif

#ifdef WITHOUT_REOPEN
#define REOPEN(a)	skip
#else
#define REOPEN(a)	state[a] = FREE
#endif

#ifdef KEEP_PART
#define GIVE_BACK(a)	skip
#else
#define GIVE_BACK(a)	LOCK(a); state[a] = FREE; UNLOCK(a)
#endif

/* Slots of areas @from to before @end */
proctype mapper(byte from, end)
{
	byte a, rounds;
	bool got;

	do
	:: rounds < 2 ->
		rounds++;
		got = false;
		atomic {
			if
			:: published -> readers++
			:: else -> break
			fi
		}
		a = from;
		do
		:: a < end ->
			LOCK(a);
			if
			:: state[a] == FREE -> state[a] = TAKEN; UNLOCK(a); a++
			:: else -> UNLOCK(a); break
			fi
		:: else -> got = true; break
		od;
		if
		:: !got && a > from -> GIVE_BACK(from)
		:: else
		fi;
		readers--;
		if
		:: got ->
			for (a : from .. end - 1) {
				assert(!freed && state[a] == TAKEN);
				LOCK(a);
				state[a] = FREE;
				UNLOCK(a)
			}
		:: else
		fi
	:: else -> break
	od;
	running--
}

proctype worker()
{
	byte a, rounds;
	bool idle;

	do
	:: rounds < 2 ->
		rounds++;
		a = 0;
		idle = true;
		do
		:: idle && a < 2 ->
#ifdef LOOK_EARLY
			idle = (state[a] == FREE);
#endif
			LOCK(a);
#ifndef LOOK_EARLY
			idle = (state[a] == FREE);
#endif
			if
			:: idle -> MARK(a)
			:: else
			fi;
			UNLOCK(a);
			a++
		:: else -> break
		od;
		if
		:: idle ->
			published = false;
			GRACE_PERIOD;
			freed = true;
			break
		:: else ->
			/* The last one has not been closed. */
			a--;
			do
			:: a > 0 -> a--; LOCK(a); REOPEN(a); UNLOCK(a)
			:: else -> break
			od
		fi
	:: else -> break
	od;
	running--
}

init {
	atomic {
		running = 4;
		run mapper(0, 1);
		run mapper(1, 2);
		run mapper(0, 2);
		run worker()
	}
	running == 0;
	assert(freed || (state[0] == FREE && state[1] == FREE))
}
