/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The word of a P2M leaf (arch/x86/xen/p2m-leaf.c): no driver may be told that its
 * pages are contiguous when they are not.
 *
 * There are two entries. Each has an owner that writes it now and then, as good or bad,
 * and asks about it in between, like a driver. Two readers read both entries all the time
 * and store which of them are good. The leaf's word has a bit for each good entry, so
 * that an owner can tell the answer about its own entry from that about the other one.
 *
 * Memory is that of the x86: each CPU has a queue of stores that it sees itself, but that
 * are not visible to others yet. Locked instructions empty the queue first.
 * UNORDERED_STORES is a weaker machine, which takes any store from the queue.
 *
 * The result that is expected for each set of options:
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

/* --- right variants and wrong ones --- */

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

/* Stores may become visible at any time. */
proctype queue(byte cpu)
{
	byte where, value;

	do
	:: atomic { stores[cpu]?where, value -> VISIBLE }
#ifdef UNORDERED_STORES
	/* A store of the word overtakes an older store of an entry. */
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
	:: /* xen_p2m_remembered(): a CPU sees its own store of the word */
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
