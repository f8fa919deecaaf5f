/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is remembered of a leaf of the P2M (arch/x86/xen/p2m-leaf.c): no driver may
 * be told that its pages are contiguous when they are not.
 *
 * Two entries, each with an owner that writes it now and then, good or bad, and asks
 * about it in between, as a driver does. Two readers read both entries all the time
 * and store which of them are good. The leaf's word has a bit for each good entry, so
 * that an owner can tell what it is told about its own from the rest.
 *
 * Memory is that of the x86: each CPU has a queue of stores that are not visible to
 * others yet, and sees its own. Locked instructions empty it first. UNORDERED_STORES
 * is a weaker machine, which takes any store from the queue.
 *
 * What spin has to say with each set of options:
 *
 * holds:	leaf
 * broken:	word_not_written	WORD_NOT_WRITTEN
 * broken:	word_before_entry	WORD_FIRST
 * broken:	weak_stores		UNORDERED_STORES
 * broken:	no_barrier		NO_BARRIER
 * broken:	not_marked		NOT_MARKED
 * broken:	not_compared		NOT_COMPARED
 * broken:	two_readers		NO_LOCK
 */
#define UNKNOWN		0
#define READING		1
#define VALID		4		/* plus a bit for each good entry, from here on */

#define ENTRY(i)	(i)
#define WORD		2

#define CHANGES		3		/* of each entry */

byte memory[3];				/* entries, then the word */
bool locked;

/* Stores of CPUs 0 and 1, the owners', and 2 and 3, the readers' */
chan stores[4] = [4] of { byte, byte };
byte words_queued[4];

inline store(cpu, where, value)
{
	atomic {
		stores[cpu]!where, value;
		if
		:: where == WORD -> words_queued[cpu]++
		:: else
		fi
	}
}

/* --- what is right, and what is wrong --- */

#ifdef NO_LOCK
#define TRYLOCK		true
#define UNLOCK		skip
#else
#define TRYLOCK		!locked -> locked = true
#define UNLOCK		locked = false
#endif

#ifdef NOT_MARKED
#define EXPECTED	UNKNOWN
#else
#define EXPECTED	READING
#endif

inline mark()
{
#ifdef NOT_MARKED
	memory[WORD] == UNKNOWN
#else
#ifdef NO_BARRIER
	store(cpu, WORD, READING)
#else
	memory[WORD] = READING
#endif
#endif
}

inline keep()
{
	atomic {
		empty(stores[cpu]);
#ifdef NOT_COMPARED
		memory[WORD] = found;
#else
		if
		:: memory[WORD] == EXPECTED -> memory[WORD] = found
		:: else
		fi;
#endif
		found = 0
	}
}

inline write_entry()
{
#ifdef WORD_NOT_WRITTEN
	store(cpu, ENTRY(cpu), good)
#else
#ifdef WORD_FIRST
	store(cpu, WORD, UNKNOWN);
	store(cpu, ENTRY(cpu), good)
#else
	store(cpu, ENTRY(cpu), good);
	store(cpu, WORD, UNKNOWN)
#endif
#endif
}

/* --- the machine --- */

#define VISIBLE								\
	if								\
	:: where == WORD -> words_queued[cpu]--				\
	:: else								\
	fi;								\
	memory[where] = value;						\
	where = 0; value = 0

/* Stores become visible when they please. */
proctype queue(byte cpu)
{
	byte where, value;

	do
	:: atomic { stores[cpu]?where, value -> VISIBLE }
#ifdef UNORDERED_STORES
	/* An older store of an entry waits, that of the word does not. */
	:: atomic { stores[cpu]??eval(WORD), value -> where = WORD; VISIBLE }
#endif
	od
}

/* --- the code --- */

proctype owner(byte cpu)
{
	byte changes;
	bool good;

	do
	:: changes < CHANGES ->
		atomic {
			if
			:: good = true
			:: good = false
			fi;
			changes++
		}
		write_entry()
	:: /* xen_p2m_remembered(): a store of one's own is what one sees */
		atomic {
			assert(words_queued[cpu] || memory[WORD] < VALID || good ||
			       !((memory[WORD] - VALID) & (1 << cpu)))
		}
	od
}

proctype reader(byte cpu)
{
	byte found;

	do
	:: atomic { TRYLOCK };
		mark();
		found = VALID;
		if
		:: found = found + memory[0];
			found = found + 2 * memory[1]
		:: found = found + 2 * memory[1];
			found = found + memory[0]
		fi;
		keep();
		UNLOCK
	od
}

init {
	atomic {
		run queue(0);
		run queue(1);
#ifdef NO_BARRIER
		run queue(2);
		run queue(3);
#endif
		run owner(0);
		run owner(1);
		run reader(2);
		run reader(3)
	}
}
